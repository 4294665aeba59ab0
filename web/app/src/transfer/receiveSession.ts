/** The receiver: joins its room, follows the sender's attempts to connect, and stays until it has all files. */

import type { IncomingFile, OfferedFiles, ReceiveSession, SessionOptions, Sink } from '../types';
import { toHex } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import { FrameType } from '../crypto/frames';
import { resumeKey, sha256 } from '../crypto/kdf';
import { Deferred, pause } from '../connection/async';
import type { ConnectionAttempt } from '../connection/attempts';
import { ChannelError, isTransient, LocalError } from '../connection/errors';
import type { SecureChannel } from '../connection/secureChannel';
import type { SignalingClient } from '../connection/signaling';
import { type Link, linkText } from '../protocol/link';
import { decodeManifest, type Manifest, MAX_MANIFEST_BYTES, totalBytes } from '../protocol/manifest';
import { safePaths } from '../protocol/safePath';
import type { Outcome } from '../protocol/wire';
import { FileReceiver } from './fileReceiver';
import { type RoomParts, TransferSession } from './session';
import { StateStore } from './storedState';
import { MAX_TEXT_BYTES, TextSink } from './textSink';

const DEFAULT_CONFIRMATION_S = 300;
const DEPARTURE_ARRIVES_MS = 200;
/** A complete receiver waits this long for the sender to close the channel. */
const CLOSED_MS = 5_000;
/** How long a complete receiver waits for the sender to learn of it. */
const LINGER_MS = 30_000;
const GIVE_UP_AFTER_MS = 600_000;

export class Receiver extends TransferSession implements ReceiveSession {
  manifest: OfferedFiles | null = null;
  text: string | null = null;
  private offered: Manifest | null = null;
  private receiver: FileReceiver | null = null;
  private incoming: IncomingFile[] = [];
  private readonly accepted = new Deferred<Sink>();
  private confirmationDeadline: number | null = null;

  constructor(
    private readonly target: Link | null,
    options: SessionOptions,
  ) {
    super('receiver', options);
  }

  accept(sink: Sink): void {
    this.accepted.resolve(sink);
  }

  async decline(): Promise<void> {
    await this.end('declined');
  }

  protected override async enterRoom(): Promise<RoomParts> {
    if (this.target === null) throw new LocalError('bad_link');
    return this.newRoom(this.target, StateStore.open('receiver', linkText(this.target)));
  }

  protected override async transferUntilDone(parts: RoomParts): Promise<void> {
    for (;;) {
      const signaling = await parts.room.signaling();
      try {
        const attempt = await this.nextAttempt(parts, signaling);
        if (attempt === null) continue;
        if (!(await this.follow(parts, signaling, attempt))) continue;
        if (await this.linger(parts)) return;
      } catch (error) {
        if (error instanceof ChannelError && error.closed) {
          await this.checkDeparture(signaling, DEPARTURE_ARRIVES_MS);
        }
        if (!isTransient(error) || this.retries.recordFailure() === null) throw error;
        this.setState('interrupted');
      }
    }
  }

  protected override onJoined(signaling: SignalingClient): void {
    if (this.state === 'confirming') signaling.reportConfirmation('pending');
  }

  protected override hasBegun(): boolean {
    return this.offered !== null;
  }

  protected override async onEnd(outcome: Outcome, _isOver: boolean, isResumable: boolean): Promise<void> {
    this.confirmationDeadline = null;
    if (isResumable) await this.receiver?.suspend();
    else if (outcome !== 'success') await this.receiver?.discard();
  }

  /** Waits for the sender's next attempt; null if signaling was lost before it came. */
  private async nextAttempt(parts: RoomParts, signaling: SignalingClient): Promise<ConnectionAttempt | null> {
    const { peer, lost } = signaling;
    const { attempts } = parts.room;
    const events = [attempts.ready(), peer.departed.wait(), lost.wait()];
    // The server may count a sender that has vanished: it is waited for once the server has noticed.
    if (peer.present.isSet) await pause(GIVE_UP_AFTER_MS, Promise.race([...events, peer.absent.wait()]));
    if (!peer.present.isSet) {
      this.raiseIfDeparted(signaling);
      this.setState(this.meter.hasStarted ? 'interrupted' : 'waiting');
      this.retries.restartClock();
      await pause(GIVE_UP_AFTER_MS, Promise.race(events));
    }
    if (attempts.isReady) return attempts.get();
    this.raiseIfDeparted(signaling);
    if (lost.isSet) return null;
    throw new LocalError('peer_timeout');
  }

  /** Takes part in an attempt. False if the sender replaced it by another. */
  private async follow(
    parts: RoomParts,
    signaling: SignalingClient,
    attempt: ConnectionAttempt,
  ): Promise<boolean> {
    if (!this.meter.hasStarted) this.setState('connecting');
    const opening = parts.connector.accept(attempt, signaling);
    const receiving: Promise<'newer' | void> = this.withChannel(signaling, opening, (secure) =>
      this.receive(parts, signaling, secure),
    );
    // A direct connection goes on when signaling has failed for good.
    const newer = parts.room.attempts
      .ready()
      .then((): typeof receiving | 'newer' => (parts.room.attempts.length > 0 ? 'newer' : receiving));
    const first = await Promise.race([receiving, newer]);
    if (first !== 'newer') return true;
    // The old channel has ended for the sender: what was received stays, and the next attempt continues.
    this.dropChannel();
    await receiving.catch(() => {});
    if (this.isComplete) return true;
    this.retries.recordFailure();
    return false;
  }

  private async receive(parts: RoomParts, signaling: SignalingClient, secure: SecureChannel): Promise<void> {
    const document = await secure.receiveDocument(FrameType.manifest, MAX_MANIFEST_BYTES);
    const digest = toHex(await sha256(document));
    const { state } = parts.store;
    if (state.manifest !== null && state.manifest !== digest) throw new ProtocolError('source_changed');
    if (this.offered === null) await this.announce(decodeManifest(document), parts);
    state.manifest = digest;
    parts.store.save();
    this.receiver ??= await this.confirm(parts, signaling, secure);
    this.retries.recordSuccess();
    this.retries.operation = 'transfer';
    this.setState('transferring');
    await this.receiver.receive(secure);
    this.isComplete = true;
    await pause(CLOSED_MS, secure.channel.readable()); // the sender closes: it may still measure the connection
  }

  private async announce(manifest: Manifest, { link, store }: RoomParts): Promise<void> {
    const key = toHex(await resumeKey(link.secret, store.state.room ?? link.room));
    const total = totalBytes(manifest);
    const paths = safePaths([...manifest.files, ...manifest.folders].map(({ path }) => path));
    this.offered = manifest;
    this.incoming = manifest.files.map(({ size, sha256: digest, modified }, file) => ({
      path: paths[file]!,
      size,
      key: `${key}-${file}-${digest.slice(0, 16)}`,
      modified: Number(modified) * 1000,
    }));
    this.manifest = {
      files: this.incoming.map(({ path, size }) => ({ path, size })),
      folders: paths.slice(manifest.files.length),
      links: manifest.links,
      isText: manifest.isText && total <= MAX_TEXT_BYTES,
      totalBytes: total,
    };
    this.meter.begin('transferring', total, manifest.files.length);
    this.dispatchEvent(new Event('manifest'));
  }

  /** Waits for the person here. Until the answer, the sender may only abort. */
  private async confirm(
    parts: RoomParts,
    signaling: SignalingClient,
    secure: SecureChannel,
  ): Promise<FileReceiver> {
    if (!this.accepted.settled && !parts.store.state.confirmed) {
      const seconds = signaling.joined.confirmationLimit ?? DEFAULT_CONFIRMATION_S;
      this.confirmationDeadline ??= performance.now() + seconds * 1000;
      this.confirmationSeconds = seconds;
      signaling.reportConfirmation('pending');
      this.setState('confirming');
    }
    const left = (this.confirmationDeadline ?? Infinity) - performance.now();
    await this.waitForAnswer(secure, left);
    const sink = await this.accepted.promise;
    if (!parts.store.state.confirmed) {
      parts.store.state.confirmed = true;
      parts.store.save();
      (await parts.room.signaling()).reportConfirmation('given');
    }
    return this.newReceiver(sink, parts.store);
  }

  private async waitForAnswer(secure: SecureChannel, milliseconds: number): Promise<void> {
    const answered = this.accepted.promise.then(() => 'accepted' as const);
    const waits: Promise<unknown>[] = [answered, secure.channel.readable()];
    if (milliseconds === Infinity) await Promise.race(waits);
    else await pause(milliseconds, Promise.race(waits));
    if (this.accepted.settled) return;
    if (milliseconds !== Infinity && performance.now() >= this.confirmationDeadline!) {
      throw new LocalError('unconfirmed', 'unconfirmed');
    }
    await secure.receive(); // an abort, or the end of the channel
    throw new ProtocolError('malformed');
  }

  private async newReceiver(sink: Sink, store: StateStore): Promise<FileReceiver> {
    const isText = this.manifest!.isText;
    const used = isText ? new TextSink((text) => this.onText(text)) : sink;
    const folders = this.manifest!.folders;
    const onFact = this.emitFact.bind(this);
    const crypto = await this.crypto();
    return new FileReceiver(this.offered!, this.incoming, folders, used, crypto, store, this.meter, onFact);
  }

  private onText(text: string): void {
    this.text = text;
    this.dispatchEvent(new Event('text'));
  }

  /** Stays until the sender knows that all files are here. False if it starts another attempt to ask again. */
  private async linger(parts: RoomParts): Promise<boolean> {
    const signaling = await parts.room.signaling().catch(() => null);
    const { attempts } = parts.room;
    if (signaling === null) return true;
    await pause(
      LINGER_MS,
      Promise.race([attempts.ready(), signaling.peer.departed.wait(), signaling.lost.wait()]),
    );
    return signaling.peer.departed.isSet || attempts.length === 0;
  }
}
