/**
 * A channel over Tallow's own relay: a WebSocket to the server, which forwards ciphertext.
 *
 * A page cannot slow down what a WebSocket receives. So it announces a window in its sealed signal, and
 * acknowledges what it has processed; the other side keeps within the window.
 */

import type { Bytes } from '../crypto/bytes';
import { MAX_RELAY_MESSAGE_BYTES, parseObject, RELAY_PATH } from '../protocol/wire';
import { ClosableQueue, Deferred, Flag, pause, withTimeout } from './async';
import type { Channel } from './channel';
import { ChannelError, channelClosed } from './errors';
import { websocketUrl } from './signaling';

/** Bytes that wait for the network, plus at most one message. */
const MAX_BUFFERED = 1 << 20;
/** A WebSocket has no event for it: the time after which `bufferedAmount` is read again. */
const BUFFER_POLL_MS = 4;
const CLOSE_TIMEOUT_MS = 2_000;
/** Unacknowledged bytes that this side accepts. */
export const RELAY_WINDOW = 16 << 20;
/** Bytes after which they are acknowledged. */
const ACK_EVERY = 1 << 20;
/** An acknowledgement holds the sum of all processed bytes. No other message has this length. */
const ACK_BYTES = 8;

export class RelayChannel implements Channel {
  readonly method = 'relay';
  readonly path = null;
  readonly maxMessage = MAX_RELAY_MESSAGE_BYTES;
  readonly descriptions: readonly string[] = [];
  private readonly received = new ClosableQueue<Bytes>();
  private readonly opened = new Deferred<void>();
  private readonly paired = new Deferred<void>();
  private readonly closed = new Deferred<void>();
  private peerWindow = Infinity;
  private sentBytes = 0;
  private acknowledgedBytes = 0;
  private processedBytes = 0;
  private reportedBytes = 0;
  private acknowledged = new Flag();

  private constructor(
    private readonly socket: WebSocket,
    ticket: string,
  ) {
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      socket.send(JSON.stringify({ type: 'relay', ticket }));
      this.opened.resolve();
    });
    socket.addEventListener('message', (event) => this.onMessage(event.data));
    socket.addEventListener('close', () => this.onClose());
  }

  /** Connects with the ticket that came with the join. Usable after `waitUntilPaired`. */
  static async connect(server: string, ticket: string, timeoutMs: number): Promise<RelayChannel> {
    const channel = new RelayChannel(new WebSocket(websocketUrl(server, RELAY_PATH)), ticket);
    await channel.within(channel.opened.promise, timeoutMs);
    return channel;
  }

  /** Waits for the other side. */
  waitUntilPaired(timeoutMs: number): Promise<void> {
    return this.within(this.paired.promise, timeoutMs);
  }

  /** Sets the other side's window, from its sealed signal. A side without one reads at its own pace. */
  setPeerWindow(bytes: unknown): void {
    if (typeof bytes === 'number' && bytes >= MAX_RELAY_MESSAGE_BYTES) this.peerWindow = bytes;
  }

  async send(message: Bytes): Promise<void> {
    while (this.isOpen && !this.fits(message.length)) {
      this.acknowledged.clear();
      await this.acknowledged.wait();
    }
    while (this.socket.bufferedAmount > MAX_BUFFERED && this.isOpen) await pause(BUFFER_POLL_MS);
    if (!this.isOpen) throw channelClosed();
    this.sentBytes += message.length;
    this.socket.send(message);
  }

  async receive(): Promise<Bytes> {
    const message = await this.received.get();
    this.processedBytes += message.length;
    if (this.processedBytes - this.reportedBytes >= ACK_EVERY && this.isOpen) {
      this.reportedBytes = this.processedBytes;
      const acknowledgement = new DataView(new ArrayBuffer(ACK_BYTES));
      acknowledgement.setBigUint64(0, BigInt(this.processedBytes));
      this.socket.send(acknowledgement);
    }
    return message;
  }

  readable(): Promise<void> {
    return this.received.ready();
  }

  async quality(): Promise<null> {
    return null; // the relay is the server's
  }

  async close(): Promise<void> {
    this.socket.close(); // sends what is buffered first
    await pause(CLOSE_TIMEOUT_MS, this.closed.promise);
  }

  abort(): void {
    this.socket.close();
    this.onClose();
  }

  private get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  private fits(length: number): boolean {
    return this.sentBytes - this.acknowledgedBytes + length <= this.peerWindow;
  }

  private async within(waiting: Promise<void>, timeoutMs: number): Promise<void> {
    try {
      await withTimeout(waiting, timeoutMs, () => new ChannelError());
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  private onMessage(data: unknown): void {
    if (data instanceof ArrayBuffer && data.byteLength === ACK_BYTES) {
      this.acknowledgedBytes = Number(new DataView(data).getBigUint64(0));
      this.acknowledged.set();
    } else if (data instanceof ArrayBuffer && this.paired.settled) {
      this.received.put(new Uint8Array(data));
    } else if (typeof data === 'string' && parseObject(data)?.['type'] === 'paired') {
      this.paired.resolve();
    } else {
      this.abort();
    }
  }

  private onClose(): void {
    this.opened.reject(new ChannelError());
    this.paired.reject(new ChannelError());
    this.received.fail(channelClosed());
    this.acknowledged.set();
    this.closed.resolve();
  }
}
