/** The signaling connection of a peer: a WebSocket to the server, from the join to the end. */

import { type Bytes, toBase64url } from '../crypto/bytes';
import { joinToken } from '../crypto/kdf';
import { SignalSealer } from '../crypto/sealedSignals';
import type { Link } from '../protocol/link';
import {
  type ChannelType,
  CLOSE_REASONS,
  type ConfirmationState,
  type Device,
  isRecord,
  type Outcome,
  parseObject,
  PROTOCOL_VERSION,
  type Role,
  ROOM_ID,
  SIGNAL_PATH,
  type SignalType,
  type TransferMethod,
} from '../protocol/wire';
import { ClosableQueue, Deferred, Flag, pause, withTimeout } from './async';
import { type ConnectionAttempt, ConnectionAttempts, type Signal } from './attempts';
import { ServerConnectionError, ServerRefusedError } from './errors';

const JOIN_TIMEOUT_MS = 15_000;
const LEAVE_TIMEOUT_MS = 2_000;
const MAX_CONFIRMATION_S = 3600;
/** Close codes for which the server sends no error message before. */
const REASONS_WITHOUT_MESSAGE = ['taken_over', 'timeout', 'expired'];

/** The server's answer to a join. */
export interface JoinedRoom {
  /** The room of this transfer: one of the link's, which may be for several receivers. */
  readonly room: string;
  readonly rejoinKey: string;
  readonly telemetryToken: string;
  readonly relayTicket: string;
  readonly correlationId: string;
  readonly iceServers: RTCIceServer[];
  /** Seconds that a receiver may take to confirm; null from a server that does not know confirmation. */
  readonly confirmationLimit: number | null;
}

export interface JoinInput {
  readonly link: Link;
  /** The room that an earlier join named; by default the link's. */
  readonly room: string;
  readonly role: Role;
  readonly device: Device;
  readonly doNotTrack: boolean;
  readonly rejoinKey: string | null;
}

/** What the server reports about the other peer. */
export class PeerPresence {
  readonly present = new Flag();
  readonly absent = new Flag();
  /** It left on purpose, with an outcome. */
  readonly departed = new Flag();
  /** At the sender: the person at the receiver is asked; and has agreed. */
  readonly confirming = new Flag();
  readonly confirmed = new Flag();
  outcome: string | null = null;
  seen = false;

  joined(): void {
    this.outcome = null;
    this.absent.clear();
    this.departed.clear();
    this.seen = true;
    this.present.set();
  }

  left(outcome: string | null): void {
    this.outcome = outcome;
    if (outcome !== null) this.departed.set();
    this.present.clear();
    this.absent.set();
  }

  confirmation(state: unknown): void {
    const [set, cleared] =
      state === 'pending' ? [this.confirming, this.confirmed] : [this.confirmed, this.confirming];
    if (state !== 'pending' && state !== 'given') return;
    cleared.clear();
    set.set();
  }
}

export class SignalingClient {
  readonly peer = new PeerPresence();
  readonly lost = new Flag();
  error: Error | null = null;
  private readonly attempts: ConnectionAttempts;
  private readonly answer = new Deferred<JoinedRoom>();
  private handling: Promise<void> = Promise.resolve();
  joined!: JoinedRoom;

  private constructor(
    private readonly socket: WebSocket,
    private readonly sealer: SignalSealer,
    offered: ClosableQueue<ConnectionAttempt>,
    /** Whether the other side is known to have the link. Later, signals that cannot be opened are ignored:
     * the server could end a transfer with them for good. */
    private linkProven: boolean,
  ) {
    this.attempts = new ConnectionAttempts(sealer, (type, data) => this.send({ type, data }), offered);
    socket.addEventListener('message', (event) => this.onMessage(event.data));
    socket.addEventListener('close', (event) => this.onClose(event.code));
  }

  /** Joins a room; with the key of an earlier join, in place of that connection. */
  static async join(input: JoinInput, offered: ClosableQueue<ConnectionAttempt>): Promise<SignalingClient> {
    const { link, role, rejoinKey } = input;
    const sealer = await SignalSealer.create(link.secret, role);
    const message = joinMessage(input, await joinToken(link.secret));
    const socket = new WebSocket(websocketUrl(link.server, SIGNAL_PATH));
    const client = new SignalingClient(socket, sealer, offered, rejoinKey !== null);
    socket.addEventListener('open', () => client.send(message));
    try {
      const noAnswer = (): Error => new ServerConnectionError('no answer');
      client.joined = await withTimeout(client.answer.promise, JOIN_TIMEOUT_MS, noAnswer);
    } catch (error) {
      socket.close();
      throw error;
    }
    return client;
  }

  /** Starts to connect; the attempt before is over. */
  startAttempt(): ConnectionAttempt {
    return this.attempts.start();
  }

  /** The sender: data flows from now on. */
  reportStarted(method: TransferMethod): void {
    this.send({ type: 'started', method });
  }

  /** The receiver: its person is asked, or has agreed. */
  reportConfirmation(state: ConfirmationState): void {
    if (this.joined.confirmationLimit !== null) this.send({ type: 'confirmation', state });
  }

  /** Leaves the room, with the outcome if the transfer is over, and closes. */
  async leave(outcome: Outcome | null, isResumable = false): Promise<void> {
    const resumable = isResumable ? { resumable: true } : {};
    this.send({ type: 'leave', ...(outcome === null ? {} : { outcome, ...resumable }) });
    await pause(LEAVE_TIMEOUT_MS, this.lost.wait());
    this.socket.close();
  }

  /** Ends a connection that may be dead, without leaving the room. */
  drop(): void {
    this.socket.close();
    this.onClose(0); // the event of a dead connection comes after a minute
  }

  private send(message: Record<string, unknown>): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private onMessage(data: unknown): void {
    const message = typeof data === 'string' ? parseObject(data) : null;
    if (message === null) return;
    // Opening a sealed signal takes time; the order of the messages stays.
    this.handling = this.handling.then(() => this.handle(message));
  }

  /** Processes a message of the server. Malformed and unknown messages are ignored. */
  private async handle(message: Record<string, unknown>): Promise<void> {
    if (!this.answer.settled) {
      this.handleAnswer(message);
    } else if (message['type'] === 'peer') {
      this.handlePeer(message);
    } else if (message['type'] === 'confirmation') {
      this.peer.confirmation(message['state']);
    } else if (message['type'] === 'error') {
      if (message['code'] === 'no_peer') this.peerLeft(this.peer.outcome);
      else this.error = new ServerRefusedError(String(message['code']));
    } else {
      await this.handleSignal(message);
    }
  }

  private handleAnswer(message: Record<string, unknown>): void {
    const joined = parseJoined(message);
    if (joined === null) {
      const code = message['type'] === 'error' ? String(message['code']) : 'bad_message';
      this.answer.reject(new ServerRefusedError(code));
      return;
    }
    if (message['peer'] === true) this.peer.joined();
    this.answer.resolve(joined);
  }

  private handlePeer(message: Record<string, unknown>): void {
    const isStopped = message['outcome'] === 'cancelled' && message['resumable'] === true;
    const outcome = isStopped ? 'stopped' : message['outcome'];
    if (message['event'] === 'joined') this.peer.joined();
    else this.peerLeft(typeof outcome === 'string' ? outcome : null);
  }

  private async handleSignal(message: Record<string, unknown>): Promise<void> {
    const envelope = parseEnvelope(message);
    if (envelope === null) return;
    const { type, attempt, channel, sealed } = envelope;
    const data = await this.sealer.open(type, attempt, channel, sealed);
    if (data !== null) {
      this.linkProven = true;
      this.attempts.handle({ type, attempt, channel, data });
    } else if (!this.linkProven) {
      this.attempts.failUnreadable();
    }
  }

  private peerLeft(outcome: string | null): void {
    this.peer.left(outcome);
    this.attempts.fail();
  }

  private onClose(code: number): void {
    this.handling = this.handling.then(() => {
      const reason = CLOSE_REASONS[code] ?? '';
      const isReason = REASONS_WITHOUT_MESSAGE.includes(reason);
      this.error ??= isReason ? new ServerRefusedError(reason) : new ServerConnectionError('lost');
      this.answer.reject(this.error);
      this.lost.set();
      this.attempts.fail();
    });
  }
}

export function websocketUrl(server: string, path: string): string {
  return server.replace(/^http/, 'ws') + path;
}

function joinMessage(input: JoinInput, token: Bytes): Record<string, unknown> {
  return {
    type: 'join',
    version: PROTOCOL_VERSION,
    room: input.room,
    token: toBase64url(token),
    role: input.role,
    device: input.device,
    ...(input.rejoinKey === null ? {} : { rejoin_key: input.rejoinKey }),
    ...(input.doNotTrack ? { do_not_track: true } : {}),
  };
}

function parseJoined(message: Record<string, unknown>): JoinedRoom | null {
  const { type, room, rejoin_key, telemetry_token, relay_ticket, correlation_id, ice_servers } = message;
  const texts = [room, rejoin_key, telemetry_token, relay_ticket, correlation_id];
  if (type !== 'joined' || !texts.every((text) => typeof text === 'string')) return null;
  const [name, rejoinKey, telemetryToken, relayTicket, correlationId] = texts as [
    string,
    string,
    string,
    string,
    string,
  ];
  if (!ROOM_ID.test(name)) return null;
  const iceServers = (Array.isArray(ice_servers) ? ice_servers : []).filter(
    (entry) => isRecord(entry) && 'urls' in entry,
  ) as unknown as RTCIceServer[];
  const confirmationLimit = parseLimit(message['confirmation_limit']);
  return { room: name, rejoinKey, telemetryToken, relayTicket, correlationId, iceServers, confirmationLimit };
}

/** The server's limit, restricted to a time that a person may be asked to wait. */
function parseLimit(seconds: unknown): number | null {
  return typeof seconds === 'number' ? Math.min(Math.max(seconds, 1), MAX_CONFIRMATION_S) : null;
}

function parseEnvelope(message: Record<string, unknown>): (Omit<Signal, 'data'> & { sealed: string }) | null {
  const { type, data } = message;
  if (!['offer', 'answer', 'candidate'].includes(String(type)) || !isRecord(data)) return null;
  const { attempt, channel, sealed } = data;
  if (typeof attempt !== 'string' || typeof sealed !== 'string') return null;
  if (!['tcp', 'webrtc', 'relay'].includes(String(channel))) return null;
  return { type: type as SignalType, attempt, channel: channel as ChannelType, sealed };
}
