/** The sender: creates a room, waits for the receiver, and sends until all files are confirmed. */

import type { ChooseItems, ErrorCode, SendItem, SendSession, SessionOptions } from '../types';
import { randomBytes, toHex } from '../crypto/bytes';
import { joinToken, SECRET_BYTES, sha256 } from '../crypto/kdf';
import { ProtocolError } from '../crypto/errors';
import { pause } from '../connection/async';
import {
  ChannelError,
  isTransient,
  LocalError,
  ServerConnectionError,
  ServerRefusedError,
} from '../connection/errors';
import type { SecureChannel } from '../connection/secureChannel';
import type { SignalingClient } from '../connection/signaling';
import { linkText, parseLink } from '../protocol/link';
import { encodeManifest, totalBytes } from '../protocol/manifest';
import type { ResumeOffer } from '../protocol/resumeOffer';
import { type Outcome, parseObject, ROOM_ID, ROOMS_PATH, type TransferMethod } from '../protocol/wire';
import { FileSender } from './fileSender';
import { transferFacts } from './outcomeFacts';
import { type PreparedFiles, prepareFiles } from './preparation';
import { type RoomParts, TransferSession } from './session';
import { StateStore, storedTransfer } from './storedState';

/** The receiver gives up first when its person does not answer; the sender this much later. */
const CONFIRMATION_ARRIVES_MS = 15_000;
/** Chunks sent again after one interruption that are counted. */
const MAX_COUNTED_RESENDS = 20;
const DEFAULT_CONFIRMATION_S = 300;
const DEPARTURE_ARRIVES_MS = 1_000;

export class Sender extends TransferSession implements SendSession {
  link: string | null = null;
  private prepared: PreparedFiles | null = null;
  private preparing: Promise<PreparedFiles> | null = null;
  private flowing: TransferMethod | null = null;

  /** `resumed`: continues this tab's stored transfer with the same files, which `choose` gives. */
  constructor(
    private readonly choose: ChooseItems,
    options: SessionOptions,
    private readonly resumed: boolean,
  ) {
    super('sender', options);
  }

  protected override async enterRoom(): Promise<RoomParts> {
    const store = this.resumed ? openStored() : await this.createRoom();
    return this.newRoom(parseLink(store.state.link, '')!, store);
  }

  protected override async transferUntilDone(parts: RoomParts): Promise<void> {
    for (;;) {
      const signaling = await parts.room.signaling();
      this.preparing ??= this.prepare(parts.store);
      this.preparing.catch(() => {}); // it is awaited below
      try {
        const files = await this.waitUntilReady(signaling);
        await this.transfer(signaling, files);
        return;
      } catch (error) {
        if (error instanceof ChannelError && error.closed) {
          await this.checkDeparture(signaling, DEPARTURE_ARRIVES_MS);
        }
        if (!isTransient(error) || error instanceof ServerRefusedError) throw error;
        // Without the receiver, or the server, the next attempt waits for them.
        const isAlone = signaling.lost.isSet || !signaling.peer.present.isSet;
        if (isAlone) this.setState('interrupted');
        else await this.pauseAfter(error);
      }
    }
  }

  protected override onJoined(signaling: SignalingClient): void {
    this.link = this.parts && linkText(this.parts.link);
    if (this.flowing !== null) signaling.reportStarted(this.flowing);
    this.dispatchEvent(new Event('statechange'));
  }

  protected override hasBegun(): boolean {
    return this.resumed || this.meter.hasStarted;
  }

  protected override async onEnd(outcome: Outcome, isOver: boolean): Promise<void> {
    if (this.parts === null || !isOver) return;
    const { room, store } = this.parts;
    if (store.state.counted || !(this.resumed || room.peerSeen)) return;
    store.state.counted = true; // what follows a resumable end is not counted again
    store.save();
    const isWhole = this.prepared !== null && !this.resumed;
    const facts = transferFacts({
      outcome,
      method: this.method ?? 'relay',
      bytes: isWhole ? totalBytes(this.prepared!.manifest) : this.meter.transferred,
      seconds: this.meter.seconds,
      contents: this.prepared?.contents ?? [],
    });
    for (const fact of facts) this.emitFact(fact);
  }

  /** Creates a room. The link contains a new secret, of which the server gets a hash of a hash. */
  private async createRoom(): Promise<StateStore> {
    const server = this.options.server ?? location.origin;
    const secret = randomBytes(SECRET_BYTES);
    const hash = toHex(await sha256(await joinToken(secret)));
    const answer = await postRoom(server, hash);
    const room = answer['room'];
    if (typeof room !== 'string' || !ROOM_ID.test(room)) throw new ServerRefusedError('bad_message');
    return StateStore.open('sender', linkText({ server, room, secret }));
  }

  /** Prepares the files. After a reload, whoever chose other files is asked again. */
  private async prepare(store: StateStore): Promise<PreparedFiles> {
    let problem: ErrorCode | null = null;
    for (;;) {
      const items = await this.choose(problem);
      try {
        this.prepared = await this.prepareItems(items, store);
        return this.prepared;
      } catch (error) {
        if (!this.resumed || !(error instanceof LocalError)) throw error;
        problem = error.code;
      }
    }
  }

  private async prepareItems(items: readonly SendItem[], store: StateStore): Promise<PreparedFiles> {
    const { state } = store;
    state.preparedAt ??= Date.now();
    const files = await prepareFiles(items, await this.crypto(), this.meter, state.preparedAt);
    const digest = toHex(await sha256(encodeManifest(files.manifest)));
    if (state.manifest !== null && state.manifest !== digest) throw new LocalError('other_files');
    state.manifest = digest;
    store.save();
    return files;
  }

  /** Waits for the receiver and for the files. */
  private async waitUntilReady(signaling: SignalingClient): Promise<PreparedFiles> {
    const { peer, lost } = signaling;
    while (!peer.present.isSet || this.prepared === null) {
      this.raiseIfDeparted(signaling);
      if (lost.isSet) throw signaling.error ?? new ServerConnectionError('lost');
      if (!peer.present.isSet) {
        this.setState(this.meter.hasStarted ? 'interrupted' : 'waiting');
        this.retries.restartClock();
      }
      const events = [lost.wait(), peer.departed.wait()];
      if (!peer.present.isSet) events.push(peer.present.wait());
      else this.setState('connecting');
      if (this.prepared === null) events.push(this.preparing!.then(() => {}));
      await Promise.race(events);
    }
    return this.prepared;
  }

  /** One connection, from its opening to the receiver's confirmation of all files. */
  private async transfer(signaling: SignalingClient, files: PreparedFiles): Promise<void> {
    const { connector } = this.parts!;
    this.setState(this.meter.hasStarted ? 'interrupted' : 'connecting');
    const work = async (secure: SecureChannel): Promise<void> => {
      try {
        await this.sendFiles(secure, signaling, files);
        this.isComplete = true;
        await connector.recordQuality(secure.channel);
      } finally {
        this.flowing = null;
      }
    };
    await this.withChannel(signaling, connector.open(signaling), work);
  }

  private async sendFiles(
    secure: SecureChannel,
    signaling: SignalingClient,
    files: PreparedFiles,
  ): Promise<void> {
    const sender = new FileSender(secure, files, this.meter, (fact) => this.emitFact(fact));
    const before = this.meter.hasStarted ? this.meter.value.bytes : 0;
    const answer = await this.waitForAcceptance(sender, signaling);
    this.countResent(before - sender.bytesAtReceiver(answer), secure.chunkSize);
    this.flowing = this.method;
    signaling.reportStarted(this.method!);
    this.retries.recordSuccess();
    this.retries.operation = 'transfer';
    this.confirmationSeconds = null;
    this.setState('transferring');
    await sender.send(answer);
  }

  /** Counts the chunks that an interruption lost. */
  private countResent(bytes: number, chunkSize: number): void {
    const chunks = Math.min(MAX_COUNTED_RESENDS, Math.ceil(bytes / chunkSize));
    const labels = { operation: 'chunk', status: 'success' };
    if (chunks > 0) this.emitFact({ metric: 'retry_attempts_total', labels, value: chunks });
  }

  /** Offers the files, and waits for the receiver's answer and for the person there to confirm. */
  private async waitForAcceptance(sender: FileSender, signaling: SignalingClient): Promise<ResumeOffer> {
    const offering = sender.offer();
    const overdue = this.confirmationOverdue(signaling, offering);
    return Promise.race([offering, overdue]);
  }

  /** Fails once the time to confirm is over. */
  private async confirmationOverdue(signaling: SignalingClient, offering: Promise<unknown>): Promise<never> {
    const seconds = signaling.joined.confirmationLimit ?? DEFAULT_CONFIRMATION_S;
    const answered = offering.then(
      () => {},
      () => {},
    );
    await Promise.race([signaling.peer.confirming.wait(), answered]);
    if (signaling.peer.confirming.isSet) {
      this.confirmationSeconds = seconds;
      this.setState('confirming');
    }
    await pause(seconds * 1000 + CONFIRMATION_ARRIVES_MS, answered);
    const isLate = signaling.peer.confirming.isSet;
    if (isLate) throw new ProtocolError('unconfirmed');
    return new Promise<never>(() => {});
  }
}

function openStored(): StateStore {
  const stored = storedTransfer();
  if (stored?.role !== 'sender') throw new LocalError('expired');
  return StateStore.open('sender', stored.link);
}

async function postRoom(server: string, tokenHash: string): Promise<Record<string, unknown>> {
  let response: Response;
  try {
    response = await fetch(server + ROOMS_PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': toHex(randomBytes(16)) },
      body: JSON.stringify({ token_hash: tokenHash }),
    });
  } catch {
    throw new ServerConnectionError('unreachable');
  }
  if (response.status === 429) throw new ServerRefusedError('rate_limited');
  if (!response.ok) throw new ServerRefusedError('internal');
  return parseObject(await response.text()) ?? {};
}
