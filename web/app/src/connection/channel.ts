/** A channel: ordered, reliable binary messages between the two peers of a room. */

import type { Bytes } from '../crypto/bytes';
import type { TransferMethod } from '../protocol/wire';

/** Round trip in seconds, and share of lost packets from 0 to 1. */
export interface ConnectionQuality {
  readonly roundTripSeconds: number;
  readonly loss: number;
}

export interface Channel {
  /** `p2p`: directly, or through TURN; `relay`: Tallow's own relay. */
  readonly method: TransferMethod;
  /** `relay` if a TURN server forwards the packets; null for Tallow's own relay. */
  readonly path: 'direct' | 'relay' | null;
  /** Size limit of a message in bytes. */
  readonly maxMessage: number;
  /** WebRTC's offer and answer, else empty; part of the transcript, so that a changed fingerprint is detected. */
  readonly descriptions: readonly string[];
  /** Sends a message, and waits while the other side is slow, so that memory use is bounded. */
  send(message: Bytes): Promise<void>;
  /** Waits for the next message. */
  receive(): Promise<Bytes>;
  /** Resolves once `receive` would not wait. It takes nothing. */
  readable(): Promise<void>;
  /** Measures the connection; null if this channel cannot. */
  quality(): Promise<ConnectionQuality | null>;
  /** Closes it after all sent messages are delivered, as long as the other side answers. */
  close(): Promise<void>;
  /** Closes it at once. */
  abort(): void;
}
