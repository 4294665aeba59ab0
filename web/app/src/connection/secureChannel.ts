/** A channel with keys: the handshake, then encrypted frames in both directions, with their order checked. */

import { type Bytes, concat } from '../crypto/bytes';
import { abortCode, fromAbortCode, ProtocolError } from '../crypto/errors';
import {
  type FilePart,
  type FrameHeader,
  FrameType,
  header,
  NO_FILE,
  OVERHEAD,
  unpackHeader,
} from '../crypto/frames';
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

/** A frame that has arrived and is being decrypted. Its header is authentic once there is a payload. */
export interface ArrivedFrame {
  readonly header: FrameHeader;
  readonly payload: Promise<Bytes>;
}

let connections = 0;

export class SecureChannel {
  readonly sequence = new FrameSequence();
  /** Bytes of a file in one frame. */
  readonly chunkSize: number;
  private sending: Promise<void> = Promise.resolve();
  /** The decryption of the newest frame; it fails if that of an earlier one has. */
  private opening: Promise<unknown> = Promise.resolve();
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
  send(frame: FrameHeader, payload: Bytes = new Uint8Array(0)): Promise<void> {
    const sealing = this.crypto.seal(this.id, frame, payload);
    return this.sendSealed(sealing.then((sealed) => [sealed]));
  }

  /** Encrypts and sends a part of a file. `onSent` is told the bytes of the file that each frame has carried. */
  sendPart(part: FilePart, onSent: (bytes: number) => void): Promise<void> {
    return this.sendSealed(this.crypto.sealPart(this.id, part, this.chunkSize), onSent);
  }

  /** Receives the next frame. */
  async receive(): Promise<ReceivedFrame> {
    const { header: received, payload } = await this.accept();
    return { header: received, payload: await payload };
  }

  /**
   * Waits for the next frame, and starts to decrypt it and to add its payload to a hash of the worker. The next call
   * may come before there is a payload. After a frame that cannot be decrypted no other one is.
   */
  async accept(hash: number | null = null): Promise<ArrivedFrame> {
    const frame = await this.channel.receive();
    const received = await this.checked(frame);
    if (received.type === FrameType.abort) {
      const code = await this.crypto.open(this.id, frame, null);
      throw fromAbortCode(code.length === 1 ? code[0]! : abortCode('protocol'));
    }
    this.sequence.advance(received, frame.length - OVERHEAD);
    const payload = this.crypto.open(this.id, frame, hash);
    payload.catch(() => {}); // whoever awaits it gets the error
    this.opening = payload;
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

  /** Sends frames after those of earlier calls. */
  private sendSealed(sealing: Promise<Bytes[]>, onSent: (bytes: number) => void = () => {}): Promise<void> {
    const before = this.sending;
    sealing.catch(() => {}); // it is awaited later
    const sent = (async () => {
      await before.catch(() => {}); // also if nothing follows: a later abort must not come first
      for (const frame of await sealing) {
        await this.channel.send(frame);
        onSent(frame.length - OVERHEAD);
      }
    })();
    this.sending = sent;
    sent.catch(() => {}); // whoever awaits it gets the error
    return sent;
  }

  /** The header of a frame that may come now. An error is that of an earlier frame, if that one cannot be decrypted. */
  private async checked(frame: Bytes): Promise<FrameHeader> {
    try {
      if (this.nothingReceived) throwIfAbort(frame);
      this.nothingReceived = false;
      const received = unpackHeader(frame);
      this.sequence.check(received, frame.length - OVERHEAD);
      return received;
    } catch (error) {
      await this.opening;
      throw error;
    }
  }
}

/** The other side may reject the last message of the handshake: it has no keys then. */
function throwIfAbort(message: Bytes): void {
  const rejected = parseAbort(message);
  if (rejected === null) return;
  rejected.authenticated = false;
  throw rejected;
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
