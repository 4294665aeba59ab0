/** Several ways to the other peer, opened at the same time. One channel is kept and the others are closed. */

import type { Bytes } from '../crypto/bytes';
import type { ChannelType } from '../protocol/wire';
import { Flag, pause } from './async';
import type { Channel } from './channel';

/** Opens a channel of one type. */
export type Opening = () => Promise<Channel>;

interface Entry {
  channel: Channel | null;
  ended: boolean;
  error: unknown;
}

export class ChannelRace {
  private readonly entries = new Map<ChannelType, Entry>();
  /** Open channels without a message. */
  private readonly unread = new Set<Channel>();
  private changed = new Flag();
  private chosen: Channel | null = null;
  private isOver = false;

  /**
   * `awaitMessage`: a channel takes part once a message came over it. The sender chooses a channel and sends
   * the first message; so the receiver learns which one.
   */
  constructor(private readonly awaitMessage = false) {}

  /** Starts to open a channel of one type. */
  start(type: ChannelType, open: Opening): void {
    const entry: Entry = { channel: null, ended: false, error: null };
    this.entries.set(type, entry);
    void this.run(entry, open);
    this.wake();
  }

  /**
   * Waits for the first channel of some types, and chooses it.
   *
   * @param types preferred ones first
   * @param deadline in the time of `performance.now()`
   * @returns null if all openings of these types have ended without a channel, or the deadline has passed
   */
  async first(types: readonly ChannelType[], deadline = Infinity): Promise<[ChannelType, Channel] | null> {
    for (;;) {
      for (const type of types) {
        const channel = this.entries.get(type)?.channel;
        if (channel) {
          this.chosen = channel;
          return [type, channel];
        }
      }
      const mayCome = types.some((type) => this.entries.get(type)?.ended === false);
      if (!mayCome || performance.now() >= deadline) return null;
      await this.waitForChange(deadline);
    }
  }

  /** Why an opening has ended; null if it has not, or was not started. */
  error(type: ChannelType): unknown {
    return this.entries.get(type)?.error ?? null;
  }

  /** Whether an opening was started. */
  wasStarted(type: ChannelType): boolean {
    return this.entries.has(type);
  }

  /** Waits until an opening starts or ends, `wake` is called, or the deadline has passed. */
  async waitForChange(deadline = Infinity): Promise<void> {
    const changed = this.changed.wait();
    if (deadline === Infinity) await changed;
    else await pause(deadline - performance.now(), changed);
  }

  wake(): void {
    this.changed.set();
    this.changed = new Flag();
  }

  /** Closes all channels but the chosen one, also those that are opened later. */
  close(): void {
    this.isOver = true;
    for (const { channel } of this.entries.values()) this.closeUnchosen(channel);
    for (const channel of this.unread) void channel.close();
  }

  private async run(entry: Entry, open: Opening): Promise<void> {
    let channel: Channel | null = null;
    try {
      channel = await open();
      if (this.isOver) return;
      if (this.awaitMessage) {
        const opened = channel;
        this.unread.add(opened);
        entry.channel = new StartedChannel(opened, await opened.receive());
        this.unread.delete(opened);
      } else {
        entry.channel = channel;
      }
    } catch (error) {
      entry.error = error;
    } finally {
      entry.ended = true;
      if (this.isOver) this.closeUnchosen(entry.channel ?? channel);
      this.wake();
    }
  }

  private closeUnchosen(channel: Channel | null): void {
    if (channel !== null && channel !== this.chosen) void channel.close();
  }
}

/** A channel whose first message has been read already. */
export class StartedChannel implements Channel {
  private first: Bytes | null;

  constructor(
    readonly channel: Channel,
    message: Bytes,
  ) {
    this.first = message;
  }

  get method(): Channel['method'] {
    return this.channel.method;
  }

  get path(): Channel['path'] {
    return this.channel.path;
  }

  get maxMessage(): number {
    return this.channel.maxMessage;
  }

  get descriptions(): readonly string[] {
    return this.channel.descriptions;
  }

  send(message: Bytes): Promise<void> {
    return this.channel.send(message);
  }

  async receive(): Promise<Bytes> {
    const message = this.first;
    this.first = null;
    return message ?? this.channel.receive();
  }

  async readable(): Promise<void> {
    if (this.first === null) await this.channel.readable();
  }

  quality(): ReturnType<Channel['quality']> {
    return this.channel.quality();
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  abort(): void {
    this.channel.abort();
  }
}
