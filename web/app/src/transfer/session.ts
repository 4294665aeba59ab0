/** What sender and receiver have in common: room, connection, cancelling, and an end that is reported once. */

import type { Fact, Method, Progress, Session, SessionError, SessionOptions, SessionState } from '../types';
import { FactEvent } from '../types';
import { Deferred, pause } from '../connection/async';
import type { Channel } from '../connection/channel';
import { ChannelConnector, transferMethod } from '../connection/connector';
import {
  ChannelError,
  DepartureError,
  isAuthenticated,
  isTransient,
  LocalError,
  reasonOf,
  toSessionError,
} from '../connection/errors';
import { missingFeatures } from '../requirements';
import { RetrySchedule } from '../connection/retry';
import { RoomSession } from '../connection/roomSession';
import { SecureChannel } from '../connection/secureChannel';
import type { JoinedRoom, SignalingClient } from '../connection/signaling';
import { abortCode, ProtocolError, type ProtocolErrorCode } from '../crypto/errors';
import type { Link } from '../protocol/link';
import type { Outcome, Role } from '../protocol/wire';
import { type CryptoService, startCrypto } from '../worker/client';
import { errorFact } from './outcomeFacts';
import { ProgressMeter } from './progressMeter';
import { SleepDetector } from './sleepDetector';
import type { StateStore } from './storedState';

/** The other side's own abort may take this long after the server reported its departure. */
const ABORT_ARRIVES_MS = 500;
/** Time that a cancelled connection has to tell the other side. */
const CHANNEL_END_MS = 3_000;

/** What exists from the time the room is known. */
export interface RoomParts {
  readonly link: Link;
  readonly store: StateStore;
  readonly room: RoomSession;
  readonly connector: ChannelConnector;
}

/** The person here ends the transfer. */
class CancelledError extends LocalError {}

export abstract class TransferSession extends EventTarget implements Session {
  state: SessionState = 'connecting';
  error: SessionError | null = null;
  method: Method | null = null;
  correlationId = '';
  telemetryToken: string | null = null;
  confirmationSeconds: number | null = null;
  protected readonly meter = new ProgressMeter(() => this.dispatchEvent(new Event('progress')));
  protected readonly retries = new RetrySchedule('connection', (fact) => this.emitFact(fact));
  protected parts: RoomParts | null = null;
  protected secure: SecureChannel | null = null;
  /** All files are transferred: cancelling is too late. */
  protected isComplete = false;
  protected cancelled = new Deferred<never>();
  private channel: Channel | null = null;
  private running: Promise<void> | null = null;
  private service: Promise<CryptoService> | null = null;
  private sleep: SleepDetector | null = null;
  private transferredAtTick = 0;
  private wake = new Deferred<void>();
  /** The room is being left: that its connection ends is no interruption. */
  private isEnding = false;

  constructor(
    protected readonly role: Role,
    protected readonly options: SessionOptions,
  ) {
    super();
  }

  get progress(): Progress {
    return this.meter.value;
  }

  /** Starts the session, or starts it again after a failure that can be resumed. */
  start(): void {
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
  }

  async cancel(): Promise<void> {
    if (this.running === null && this.canResume) await this.giveUp();
    else await this.end('peer_cancelled');
  }

  resume(): void {
    if (this.running !== null) {
      this.retryNow();
    } else if (this.canResume) {
      this.start();
    }
  }

  canResume = false;

  /** Ends the transfer on both sides; the other side gets the abort code of `reason`. */
  protected async end(reason: ProtocolErrorCode): Promise<void> {
    if (this.running === null || this.isComplete) return;
    this.cancelled.reject(new CancelledError('peer_cancelled', reason));
    await this.running;
  }

  /** Joins a room, or creates it; is called once. */
  protected abstract enterRoom(): Promise<RoomParts>;
  /** Retries until all files are transferred, or an error is permanent. */
  protected abstract transferUntilDone(parts: RoomParts): Promise<void>;
  /** Is called when the room was joined, or joined again. */
  protected abstract onJoined(signaling: SignalingClient): void;
  /** Cleans up, and records how the transfer ended. `isOver`: it has an outcome; it may still be resumable. */
  protected abstract onEnd(outcome: Outcome, isOver: boolean, isResumable: boolean): Promise<void>;
  /** Whether a later attempt can go on after an error that is not transient. */
  protected abstract hasBegun(): boolean;

  protected crypto(): Promise<CryptoService> {
    this.service ??= startCrypto((fact) => this.emitFact(fact));
    return this.service;
  }

  protected emitFact(fact: Fact): void {
    this.dispatchEvent(new FactEvent(fact));
  }

  protected setState(state: SessionState): void {
    if (this.state === state || (this.isEnding && state === 'interrupted')) return;
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }

  protected newRoom(link: Link, store: StateStore): RoomParts {
    const { device = 'desktop', doNotTrack = false, path = 'auto' } = this.options;
    const onFact = (fact: Fact): void => this.emitFact(fact);
    const { state } = store;
    const room = new RoomSession(link, this.role, device, doNotTrack, state.room, state.rejoinKey, {
      onJoined: (joined, signaling) => this.handleJoined(joined, signaling, store),
      onInterrupted: () => {
        if (this.secure === null) this.setState('interrupted');
      },
      onFact,
    });
    return { link, store, room, connector: new ChannelConnector(link, this.role, path, onFact) };
  }

  /** Opens the secure channel, runs `work` over it, and closes it. Errors of `work` reach the other side. */
  protected async withChannel(
    signaling: SignalingClient,
    opening: Promise<Channel>,
    work: (secure: SecureChannel) => Promise<void>,
  ): Promise<void> {
    const channel = await this.unlessDeparted(signaling, opening).catch((error: unknown) => {
      void opening.then(
        (late) => late.abort(),
        () => {},
      );
      throw error;
    });
    this.channel = channel;
    this.method = transferMethod(channel);
    try {
      const secure = await this.unlessDeparted(signaling, this.agree(channel));
      this.secure = secure;
      try {
        await Promise.race([work(secure), this.cancelled.promise]);
      } catch (error) {
        if (!(error instanceof ChannelError)) await secure.abort(abortCode(reasonOf(error)));
        throw error;
      } finally {
        await secure.close();
      }
    } finally {
      this.secure = null;
      this.channel = null;
      channel.abort();
    }
  }

  /** Ends the current connection at once; what was received stays. */
  protected dropChannel(): void {
    this.channel?.abort();
  }

  /** Raises if the other side has left the room with an outcome. */
  protected raiseIfDeparted(signaling: SignalingClient): void {
    const { outcome } = signaling.peer;
    if (outcome !== null) throw new DepartureError(outcome);
  }

  /** After a channel was closed: waits a moment for the server's message that the other side has left. */
  protected async checkDeparture(signaling: SignalingClient, milliseconds: number): Promise<void> {
    await pause(milliseconds, Promise.race([signaling.peer.absent.wait(), signaling.lost.wait()]));
    this.raiseIfDeparted(signaling);
  }

  /** Waits before the next attempt; fails with the error if there have been failures for too long. */
  protected async pauseAfter(error: unknown): Promise<void> {
    const wait = this.retries.recordFailure();
    if (wait === null) throw error;
    this.setState('interrupted');
    this.wake = new Deferred();
    await pause(wait, this.wake.promise);
  }

  private async agree(channel: Channel): Promise<SecureChannel> {
    const labels = { algorithm: 'x25519_mlkem768' };
    const metric = 'pqc_key_exchanges_total';
    try {
      const secure = await SecureChannel.create(channel, this.role, this.parts!.link, await this.crypto());
      this.emitFact({ metric, labels: { ...labels, status: 'success' }, value: 1 });
      return secure;
    } catch (error) {
      const isFault = error instanceof ProtocolError && ['key_exchange', 'malformed'].includes(error.code);
      if (isFault) this.emitFact({ metric, labels: { ...labels, status: 'failed' }, value: 1 });
      throw error;
    }
  }

  /**
   * Awaits a step of the connection setup, unless the other side leaves for good. Only for the time before there
   * are keys: later the other side's own abort counts, not the server's word.
   */
  private async unlessDeparted<T>(signaling: SignalingClient, step: Promise<T>): Promise<T> {
    const departure = signaling.peer.departed.wait().then(async () => {
      await pause(
        ABORT_ARRIVES_MS,
        step.catch(() => {}),
      );
      this.raiseIfDeparted(signaling);
      return new Promise<never>(() => {}); // it has come back
    });
    return Promise.race([step, departure, this.cancelled.promise]);
  }

  private async run(): Promise<void> {
    this.error = null;
    this.canResume = false;
    this.isEnding = false;
    this.cancelled = new Deferred();
    this.setState('connecting');
    this.sleep = new SleepDetector(
      () => this.onWake(),
      () => this.retryNow(),
    );
    let problem: unknown = null;
    let transferring: Promise<void> | null = null;
    try {
      if (missingFeatures().length > 0) throw new LocalError('unsupported_browser');
      this.parts ??= await Promise.race([this.enterRoom(), this.cancelled.promise]);
      transferring = this.transferUntilDone(this.parts);
      await Promise.race([transferring, this.cancelled.promise]);
    } catch (error) {
      problem = error;
    }
    this.sleep.stop();
    if (this.channel !== null && transferring !== null) {
      // A cancelled connection ends by itself, after it has told the other side.
      await pause(
        CHANNEL_END_MS,
        transferring.catch(() => {}),
      );
    }
    await this.finish(problem);
  }

  private async finish(problem: unknown): Promise<void> {
    const outcome = outcomeOf(problem);
    this.isEnding = true;
    this.channel?.abort();
    const isResumable = problem !== null && this.isResumable(problem);
    this.canResume = isResumable;
    if (problem !== null && !(problem instanceof CancelledError)) this.error = toSessionError(problem);
    if (this.error !== null && outcome === 'failed') this.emitFact(errorFact(this.error));
    const isOver = !(isResumable && (isTransient(problem) || isPeerTimeout(problem)));
    await this.onEnd(outcome, isOver, isResumable);
    if (!isResumable) this.parts?.store.erase();
    await this.parts?.room.leave(isOver ? outcome : null, isResumable);
    if (!isResumable) await this.endCrypto();
    else if (this.parts !== null) this.parts = this.newRoom(this.parts.link, this.parts.store);
    this.meter.report();
    this.setState(outcome === 'success' ? 'done' : outcome);
  }

  /** Ends a transfer that failed and could be resumed. */
  private async giveUp(): Promise<void> {
    this.canResume = false;
    await this.onEnd('cancelled', true, false);
    this.parts?.store.erase();
    await this.parts?.room.leave('cancelled');
    await this.endCrypto();
    this.setState('cancelled');
  }

  private isResumable(problem: unknown): boolean {
    if (problem instanceof CancelledError) return false;
    if (isTransient(problem)) return true;
    return this.hasBegun() && (isPeerTimeout(problem) || !isAuthenticated(problem));
  }

  private async endCrypto(): Promise<void> {
    const service = this.service;
    this.service = null;
    (await service?.catch(() => null))?.terminate();
  }

  private handleJoined(joined: JoinedRoom, signaling: SignalingClient, store: StateStore): void {
    store.state.room = joined.room;
    store.state.rejoinKey = joined.rejoinKey;
    store.save();
    this.correlationId = joined.correlationId;
    this.telemetryToken = joined.telemetryToken;
    this.onJoined(signaling);
  }

  private retryNow(): void {
    this.wake.resolve();
    this.parts?.room.retryNow();
  }

  /** After a sleep, connections over which nothing came are taken for dead. */
  private onWake(): void {
    const isFlowing = this.meter.transferred > this.transferredAtTick;
    this.transferredAtTick = this.meter.transferred;
    if (isFlowing) return;
    this.channel?.abort();
    this.parts?.room.reconnect();
  }
}

/** The other side did not come back for a long time: it still may. */
function isPeerTimeout(problem: unknown): boolean {
  return problem instanceof LocalError && problem.code === 'peer_timeout';
}

function outcomeOf(problem: unknown): Outcome {
  if (problem === null) return 'success';
  if (problem instanceof CancelledError) return 'cancelled';
  const { code } = toSessionError(problem);
  return ['peer_cancelled', 'peer_stopped', 'declined', 'unconfirmed'].includes(code)
    ? 'cancelled'
    : 'failed';
}
