/** Flow control of a data channel (docs/protocol.md, "The data channel"). */

import type { Bytes } from '../crypto/bytes';

/** Unacknowledged bytes at most. A peer that sends more is disconnected. */
export const MAX_WINDOW = 4 << 20;
/** Bytes after which the receiver acknowledges. */
const ACK_EVERY = 32 * 1024;

/** Limits the unacknowledged bytes of a sender. */
export class SendWindow {
  private unacknowledged = 0;

  /** Whether `size` more bytes may be sent now. The other side acknowledges every `ACK_EVERY` bytes: fewer
   * never block the sender. */
  fits(size: number): boolean {
    return this.unacknowledged < ACK_EVERY || this.unacknowledged + size <= MAX_WINDOW;
  }

  sent(size: number): void {
    this.unacknowledged += size;
  }

  acknowledge(size: number): void {
    this.unacknowledged = Math.max(0, this.unacknowledged - size);
  }
}

/** Received messages that the caller has not read. */
export class ReceiveBuffer {
  private readonly messages: Bytes[] = [];
  private size = 0;
  private toAcknowledge = 0;

  get length(): number {
    return this.messages.length;
  }

  /** Adds a message. False, if the sender exceeded the window: it is not added. */
  put(message: Bytes): boolean {
    if (this.size + message.length > MAX_WINDOW) return false;
    this.messages.push(message);
    this.size += message.length;
    return true;
  }

  /** The next message, and the bytes to acknowledge now (0: not yet). */
  take(): { message: Bytes; acknowledged: number } {
    const message = this.messages.shift()!;
    this.size -= message.length;
    this.toAcknowledge += message.length;
    if (this.toAcknowledge < ACK_EVERY) return { message, acknowledged: 0 };
    const acknowledged = this.toAcknowledge;
    this.toAcknowledge = 0;
    return { message, acknowledged };
  }
}
