/** A channel over WebRTC: a data channel, directly or through a TURN server. */

import type { Bytes } from '../crypto/bytes';
import { MAX_PAYLOAD_BYTES, type Role } from '../protocol/wire';
import { Flag, pause, withTimeout } from './async';
import type { ChannelExchange } from './attempts';
import type { Channel, ConnectionQuality } from './channel';
import { ChannelError, channelClosed } from './errors';
import { ReceiveBuffer, SendWindow } from './flowControl';
import { addCandidates, exchangeDescriptions } from './webrtcNegotiation';
import { packetCounts, selectedPath, type SelectedPath } from './webrtcStats';

/** Bytes that wait for the network, plus at most one message. */
const MAX_BUFFERED = 1 << 20;
const MAX_MESSAGE = MAX_PAYLOAD_BYTES;
/** The limit of a side that announces none (RFC 8841, section 6). */
const ASSUMED_MAX_MESSAGE = 64 * 1024;
const MAX_TEXT = 64;
const PINGS = 3;
const PING_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;

export interface WebRtcOptions {
  readonly iceServers: RTCIceServer[];
  readonly policy: RTCIceTransportPolicy;
  readonly timeoutMs: number;
}

/** Whether this environment has WebRTC. */
export function hasWebRtc(): boolean {
  return typeof RTCPeerConnection === 'function';
}

export class WebRtcChannel implements Channel {
  readonly method = 'p2p';
  path: 'direct' | 'relay' = 'direct';
  strategy: SelectedPath['strategy'] = 'host';
  /** From the offer to the open channel. */
  establishedSeconds = 0;
  maxMessage = ASSUMED_MAX_MESSAGE;
  descriptions: readonly string[] = [];
  private readonly data: RTCDataChannel;
  private readonly received = new ReceiveBuffer();
  private readonly window = new SendWindow();
  private readonly pongs = new Map<string, number>();
  private changed = new Flag();
  private ended = false;
  private byeReceived = false;
  private gotReceived = false;
  private closing: Promise<void> | null = null;

  private constructor(private readonly connection: RTCPeerConnection) {
    this.data = connection.createDataChannel('tallow', { negotiated: true, id: 0, ordered: true });
    this.data.binaryType = 'arraybuffer';
    this.data.bufferedAmountLowThreshold = MAX_BUFFERED / 2;
    for (const name of ['open', 'bufferedamountlow']) this.data.addEventListener(name, () => this.notify());
    this.data.addEventListener('message', (event) => this.onMessage(event.data));
    this.data.addEventListener('close', () => this.end());
    connection.addEventListener('connectionstatechange', () => {
      if (['failed', 'closed'].includes(connection.connectionState)) this.end();
    });
  }

  /** Connects to the other side; the sender makes the offer. */
  static async connect(
    role: Role,
    exchange: ChannelExchange,
    options: WebRtcOptions,
  ): Promise<WebRtcChannel> {
    const { iceServers, policy: iceTransportPolicy, timeoutMs } = options;
    const channel = new WebRtcChannel(new RTCPeerConnection({ iceServers, iceTransportPolicy }));
    try {
      await withTimeout(channel.establish(role, exchange), timeoutMs, () => new ChannelError());
    } catch (error) {
      channel.abort();
      throw error;
    }
    return channel;
  }

  async send(message: Bytes): Promise<void> {
    const { data, window } = this;
    await this.waitFor(() => window.fits(message.length) && data.bufferedAmount <= MAX_BUFFERED);
    this.throwIfEnded();
    window.sent(message.length);
    try {
      data.send(message);
    } catch {
      throw channelClosed(); // it is closing; the event comes later
    }
  }

  async receive(): Promise<Bytes> {
    await this.readable();
    if (this.received.length === 0) throw channelClosed();
    const { message, acknowledged } = this.received.take();
    if (acknowledged > 0) this.sendText(`ack ${acknowledged}`);
    return message;
  }

  readable(): Promise<void> {
    return this.waitFor(() => this.received.length > 0 || this.byeReceived);
  }

  /** The shortest of several round trips, and the share of lost packets. */
  async quality(): Promise<ConnectionQuality> {
    let best: ConnectionQuality | null = null;
    for (let number = 0; number < PINGS; number++) {
      const name = String(number);
      const { sent } = await packetCounts(this.connection);
      const started = performance.now();
      this.sendText(`ping ${name}`);
      const answered = this.waitFor(() => this.pongs.has(name));
      await pause(PING_TIMEOUT_MS, answered);
      this.throwIfEnded();
      if (!this.pongs.has(name)) return { roundTripSeconds: PING_TIMEOUT_MS / 1000, loss: 1 };
      const roundTripSeconds = (performance.now() - started) / 1000;
      const loss = sent > 0 ? Math.min(1, Math.max(0, 1 - this.pongs.get(name)! / sent)) : 0;
      if (best === null || roundTripSeconds < best.roundTripSeconds) best = { roundTripSeconds, loss };
    }
    return best!;
  }

  close(): Promise<void> {
    this.closing ??= this.closeOrderly();
    return this.closing;
  }

  abort(): void {
    this.end();
    this.connection.close();
  }

  private async closeOrderly(): Promise<void> {
    this.sendText('bye');
    await pause(
      CLOSE_TIMEOUT_MS,
      this.waitFor(() => this.gotReceived),
    );
    this.abort();
  }

  private async establish(role: Role, exchange: ChannelExchange): Promise<void> {
    const started = performance.now();
    const { offer, answer } = await exchangeDescriptions(this.connection, role, exchange);
    this.descriptions = [offer, answer];
    this.maxMessage = maxMessage(role === 'sender' ? answer : offer);
    const adding = addCandidates(this.connection, exchange);
    await Promise.race([this.waitFor(() => this.data.readyState === 'open'), adding]);
    if (this.ended) throw new ChannelError();
    this.establishedSeconds = (performance.now() - started) / 1000;
    const selected = await selectedPath(this.connection);
    this.path = selected.path;
    this.strategy = selected.strategy;
  }

  /** Waits until a condition holds or the channel is closed. */
  private async waitFor(isReady: () => boolean): Promise<void> {
    while (!this.ended && !isReady()) await this.changed.wait();
  }

  private notify(): void {
    this.changed.set();
    this.changed = new Flag();
  }

  private throwIfEnded(): void {
    if (this.ended) throw channelClosed();
  }

  private sendText(text: string): void {
    if (this.data.readyState === 'open') this.data.send(text);
  }

  private onMessage(message: unknown): void {
    if (typeof message === 'string') {
      if (message.length <= MAX_TEXT) this.onText(message.split(' '));
    } else if (message instanceof ArrayBuffer && !this.received.put(new Uint8Array(message))) {
      this.abort();
    }
    this.notify();
  }

  private onText([command, first, second]: readonly string[]): void {
    const isCount = (text: string | undefined): text is string => /^\d+$/.test(text ?? '');
    if (command === 'ack' && isCount(first)) this.window.acknowledge(Number(first));
    else if (command === 'ping' && first !== undefined) void this.sendPong(first);
    else if (command === 'pong' && first !== undefined && isCount(second) && this.pongs.size < PINGS) {
      this.pongs.set(first, Number(second));
    } else if (command === 'bye') {
      this.byeReceived = true;
      this.sendText('got');
    } else if (command === 'got') {
      this.gotReceived = true;
    }
  }

  private async sendPong(number: string): Promise<void> {
    const { received } = await packetCounts(this.connection);
    this.sendText(`pong ${number} ${received}`);
  }

  private end(): void {
    this.ended = true;
    this.notify();
  }
}

/** The size limit of the messages that the other side accepts; 0 means none (RFC 8841, section 6). */
function maxMessage(description: string): number {
  const found = /^a=max-message-size:(\d{1,12})\r?$/m.exec(description);
  return found ? Math.min(MAX_MESSAGE, Number(found[1]) || MAX_MESSAGE) : ASSUMED_MAX_MESSAGE;
}
