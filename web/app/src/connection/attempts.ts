/** Attempts to connect. Each has its own signals, so that late ones do not reach the next attempt. */

import { randomBytes, toHex } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import type { SignalSealer } from '../crypto/sealedSignals';
import type { ChannelType, SignalType } from '../protocol/wire';
import { ClosableQueue } from './async';
import { channelClosed, ChannelRefusedError } from './errors';

export interface Signal {
  readonly type: SignalType;
  readonly attempt: string;
  readonly channel: ChannelType;
  readonly data: Readonly<Record<string, unknown>>;
}

export type ReceivedSignal = Pick<Signal, 'type' | 'data'>;

/** Sends a sealed signal to the other side. */
export type Forward = (type: SignalType, data: Record<string, unknown>) => void;

/** Signals of one type of channel in one attempt. */
export class ChannelExchange {
  readonly inbox = new ClosableQueue<ReceivedSignal>();

  constructor(
    private readonly attempt: string,
    readonly channel: ChannelType,
    private readonly sealer: SignalSealer,
    private readonly forward: Forward,
  ) {}

  async send(type: SignalType, data: Record<string, unknown>): Promise<void> {
    const sealed = await this.sealer.seal(type, this.attempt, this.channel, data);
    this.forward(type, { attempt: this.attempt, channel: this.channel, sealed });
  }

  /** Waits for the other side's next signal. */
  receive(): Promise<ReceivedSignal> {
    return this.inbox.get();
  }

  /** Tells the other side that this side does not use this type of channel. */
  refuse(): Promise<void> {
    return this.send('answer', { refused: true });
  }
}

/** One attempt to connect, over several types of channels at once. */
export class ConnectionAttempt {
  /** The types of channels that the other side offers, each once. */
  readonly offered = new ClosableQueue<ChannelType>();
  private readonly exchanges = new Map<ChannelType, ChannelExchange>();
  private error: Error | null = null;

  constructor(
    readonly name: string,
    private readonly sealer: SignalSealer,
    private readonly forward: Forward,
  ) {}

  exchange(channel: ChannelType): ChannelExchange {
    let found = this.exchanges.get(channel);
    if (!found) {
      found = new ChannelExchange(this.name, channel, this.sealer, this.forward);
      this.exchanges.set(channel, found);
      if (this.error) found.inbox.fail(this.error);
    }
    return found;
  }

  deliver(signal: Signal): void {
    const isNew = signal.type === 'offer' && !this.exchanges.has(signal.channel);
    const { inbox } = this.exchange(signal.channel);
    if (signal.data['refused'] === true) inbox.fail(new ChannelRefusedError());
    else inbox.put(signal);
    if (isNew) this.offered.put(signal.channel);
  }

  fail(error: Error): void {
    this.error = error;
    this.offered.fail(error);
    for (const exchange of this.exchanges.values()) exchange.inbox.fail(error);
  }
}

/** The current attempt of a signaling connection; a new one ends it. */
export class ConnectionAttempts {
  private current: ConnectionAttempt | null = null;

  constructor(
    private readonly sealer: SignalSealer,
    private readonly forward: Forward,
    /** Gets the attempts that the other side starts. */
    private readonly offered: ClosableQueue<ConnectionAttempt>,
  ) {}

  start(): ConnectionAttempt {
    return this.replace(toHex(randomBytes(8)));
  }

  /** Passes a signal on. An offer with a new attempt starts it; other signals of unknown attempts are late. */
  handle(signal: Signal): void {
    if (signal.type === 'offer' && this.current?.name !== signal.attempt) {
      this.offered.put(this.replace(signal.attempt));
    }
    if (this.current?.name === signal.attempt) this.current.deliver(signal);
  }

  /** Ends the current attempt. */
  fail(): void {
    this.current?.fail(channelClosed());
  }

  /** The other side has another link: both sides end. It cannot open this side's refusal either. */
  failUnreadable(): void {
    const error = new ProtocolError('wrong_secret');
    error.authenticated = false;
    if (this.current) {
      this.current.fail(error);
      return;
    }
    void this.replace(toHex(randomBytes(8)))
      .exchange('relay')
      .refuse();
    this.offered.fail(error);
  }

  private replace(name: string): ConnectionAttempt {
    this.fail();
    this.current = new ConnectionAttempt(name, this.sealer, this.forward);
    return this.current;
  }
}
