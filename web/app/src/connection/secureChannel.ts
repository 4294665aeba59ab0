/** A channel with keys: the handshake, then encrypted frames in both directions, with their order checked. */

import { type Bytes, concat } from '../crypto/bytes';
import { abortCode, fromAbortCode, ProtocolError } from '../crypto/errors';
import { type FrameHeader, FrameType, header, NO_FILE, OVERHEAD, unpackHeader } from '../crypto/frames';
import { FrameSequence } from '../crypto/frameSequence';
import { abortMessage, type HandshakeInput, parseAbort } from '../crypto/handshake';
import type { Link } from '../protocol/link';
import { MAX_PAYLOAD_BYTES, type Role } from '../protocol/wire';
import type { CryptoService } from '../worker/client';
import { pause, withTimeout } from './async';
import type { Channel } from './channel';
import { ChannelError } from './errors';

const HANDSHAKE_TIMEOUT_MS = 20_000;
const ABORT_TIMEOUT_MS = 2_000;

export interface ReceivedFrame {
  readonly header: FrameHeader;
  readonly payload: Bytes;
}

let connections = 0;

export class SecureChannel {
  readonly sequence = new FrameSequence();
  /** Bytes of a file in one frame. */
  readonly chunkSize: number;
  private sending: Promise<void> = Promise.resolve();
  private nothingReceived = true;

  private constructor(
    readonly channel: Channel,
    private readonly crypto: CryptoService,
    private readonly id: number,
  ) {
    this.chunkSize = Math.min(MAX_PAYLOAD_BYTES, channel.maxMessage - OVERHEAD);
  }

  /** Agrees on the keys of a connection. The other side gets an abort if it fails. */
  static async create(
    channel: Channel,
    role: Role,
    link: Link,
    crypto: CryptoService,
  ): Promise<SecureChannel> {
    const id = connections++;
    const input = { secret: link.secret, room: link.room, descriptions: channel.descriptions };
    const run = role === 'sender' ? runSender : runReceiver;
    try {
      const timeout = (): Error => new ChannelError('peer_timeout');
      await withTimeout(run(channel, id, input, crypto), HANDSHAKE_TIMEOUT_MS, timeout);
    } catch (error) {
      if (error instanceof ProtocolError) {
        error.authenticated = false;
        await pause(
          ABORT_TIMEOUT_MS,
          channel.send(abortMessage(error.abortCode)).catch(() => {}),
        );
      }
      throw error;
    }
    return new SecureChannel(channel, crypto, id);
  }

  /**
   * Encrypts and sends a frame. Frames leave in the order of the calls; a call may be made before the one
   * before it has returned, so that one frame is encrypted while another is sent.
   */
  send(frame: FrameHeader, payload: Bytes | Blob = new Uint8Array(0)): Promise<void> {
    const sealing = this.crypto.seal(this.id, frame, payload);
    const before = this.sending;
    const sent = (async () => {
      const [sealed] = await Promise.all([sealing, before.catch(() => {})]);
      await this.channel.send(sealed);
    })();
    this.sending = sent;
    sent.catch(() => {}); // whoever awaits it gets the error
    return sent;
  }

  /** Receives the next frame, and adds its payload to a hash of the worker. */
  async receive(hash: number | null = null): Promise<ReceivedFrame> {
    const frame = await this.channel.receive();
    const rejected = this.nothingReceived ? parseAbort(frame) : null;
    if (rejected) {
      rejected.authenticated = false; // the other side rejected the last message of the handshake
      throw rejected;
    }
    this.nothingReceived = false;
    const received = unpackHeader(frame);
    const length = frame.length - OVERHEAD;
    this.sequence.check(received, length);
    const isAbort = received.type === FrameType.abort;
    const payload = await this.crypto.open(this.id, frame, isAbort ? null : hash);
    if (isAbort) throw fromAbortCode(payload.length === 1 ? payload[0]! : abortCode('protocol'));
    this.sequence.advance(received, length);
    return { header: received, payload };
  }

  /** Sends a document, in as many frames as needed. */
  async sendDocument(type: FrameType, document: Bytes): Promise<void> {
    for (let at = 0; at === 0 || at < document.length; at += this.chunkSize) {
      const end = at + this.chunkSize;
      await this.send(header(type, NO_FILE, at, end >= document.length), document.slice(at, end));
    }
  }

  /** Receives a document of at most `limit` bytes. */
  async receiveDocument(type: FrameType, limit: number): Promise<Bytes> {
    this.sequence.expect(type);
    const pieces: Bytes[] = [];
    let length = 0;
    while (!this.sequence.complete) {
      const { payload } = await this.receive();
      pieces.push(payload);
      length += payload.length;
      if (length > limit) throw new ProtocolError('malformed');
    }
    return concat(...pieces);
  }

  /** Sends an abort code to the other side and closes. */
  async abort(code: number): Promise<void> {
    const sending = this.send(header(FrameType.abort), Uint8Array.of(code)).catch(() => {});
    await pause(ABORT_TIMEOUT_MS, sending);
    await this.close();
  }

  async close(): Promise<void> {
    await pause(ABORT_TIMEOUT_MS, this.channel.close());
    this.channel.abort();
    void this.crypto.release(this.id).catch(() => {});
  }
}

async function runSender(
  channel: Channel,
  id: number,
  input: HandshakeInput,
  crypto: CryptoService,
): Promise<void> {
  await channel.send(await crypto.startSender(id, input));
  await channel.send(await crypto.handleReply(id, await channel.receive()));
  await crypto.finishSender(id, await channel.receive());
}

async function runReceiver(
  channel: Channel,
  id: number,
  input: HandshakeInput,
  crypto: CryptoService,
): Promise<void> {
  await channel.send(await crypto.startReceiver(id, input, await channel.receive()));
  await channel.send(await crypto.finishReceiver(id, await channel.receive()));
}
