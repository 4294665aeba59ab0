/** Two connected channels in memory. */

import { ClosableQueue } from '../src/connection/async';
import type { Channel } from '../src/connection/channel';
import { channelClosed } from '../src/connection/errors';
import type { Bytes } from '../src/crypto/bytes';

export class MemoryChannel implements Channel {
  readonly method = 'p2p';
  readonly path = 'direct';
  readonly descriptions: readonly string[] = [];
  readonly received = new ClosableQueue<Bytes>();
  other!: MemoryChannel;
  /** Changes the messages that this side sends. */
  rewrite: (message: Bytes) => Bytes = (message) => message;

  constructor(readonly maxMessage: number) {}

  static pair(maxMessage = 1024): [MemoryChannel, MemoryChannel] {
    const [one, two] = [new MemoryChannel(maxMessage), new MemoryChannel(maxMessage)];
    [one.other, two.other] = [two, one];
    return [one, two];
  }

  async send(message: Bytes): Promise<void> {
    this.other.received.put(this.rewrite(message.slice()));
  }

  receive(): Promise<Bytes> {
    return this.received.get();
  }

  readable(): Promise<void> {
    return this.received.ready();
  }

  async quality(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    this.abort();
  }

  abort(): void {
    for (const side of [this, this.other]) side.received.fail(channelClosed());
  }
}
