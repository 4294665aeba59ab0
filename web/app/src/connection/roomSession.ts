/** Membership of a room that lasts: signaling is joined again whenever it is lost. */

import type { Fact } from '../types';
import type { Link } from '../protocol/link';
import type { Device, Outcome, Role } from '../protocol/wire';
import { ClosableQueue, Flag, pause, withTimeout } from './async';
import type { ConnectionAttempt } from './attempts';
import { isTransient, ServerConnectionError } from './errors';
import { RetrySchedule } from './retry';
import { type JoinedRoom, SignalingClient } from './signaling';

const REJOIN_TO_LEAVE_MS = 2_000;

export interface RoomEvents {
  /** The room was joined, or joined again. */
  onJoined(joined: JoinedRoom, signaling: SignalingClient): void;
  /** Signaling was lost, and is joined again. */
  onInterrupted(): void;
  onFact(fact: Fact): void;
}

export class RoomSession {
  /** Connection attempts that the other side starts. */
  readonly attempts = new ClosableQueue<ConnectionAttempt>();
  private readonly retries: RetrySchedule;
  private current: SignalingClient | null = null;
  private joining: Promise<SignalingClient> | null = null;
  private wake = new Flag();
  private hasLeft = false;
  private seen = false;

  constructor(
    private readonly link: Link,
    private readonly role: Role,
    private readonly device: Device,
    private readonly doNotTrack: boolean,
    /** From an earlier page: the room that it joined, and its key. */
    private room: string | null,
    private rejoinKey: string | null,
    private readonly events: RoomEvents,
  ) {
    this.retries = new RetrySchedule('signaling', (fact) => events.onFact(fact));
  }

  /** Whether both sides were in the room at the same time, as far as this side knows. */
  get peerSeen(): boolean {
    return this.seen || (this.current?.peer.seen ?? false);
  }

  /** The signaling connection; a lost one is joined again first. */
  signaling(): Promise<SignalingClient> {
    if (this.current !== null && !this.current.lost.isSet) return Promise.resolve(this.current);
    this.joining ??= this.joinAgain().finally(() => {
      this.joining = null;
    });
    return this.joining;
  }

  /** Tries again now, if this side waits for the next attempt. */
  retryNow(): void {
    this.wake.set();
    this.wake = new Flag();
  }

  /** Drops a connection that died while the page slept; it is joined again. */
  reconnect(): void {
    this.current?.drop();
    this.retryNow();
  }

  /**
   * Leaves the room, with the transfer's outcome if it is over; both sides may come back to a resumable one. If
   * signaling is lost and there is an outcome, it is joined once more: otherwise the other side would wait in vain.
   */
  async leave(outcome: Outcome | null, isResumable = false): Promise<void> {
    this.hasLeft = true;
    this.retryNow();
    let signaling = this.current;
    if (outcome !== null && (signaling === null || signaling.lost.isSet)) {
      signaling = await this.rejoinToLeave();
    }
    await signaling?.leave(outcome, isResumable);
  }

  private async joinAgain(): Promise<SignalingClient> {
    if (this.current === null) return this.join();
    let error = this.current.error ?? new ServerConnectionError('lost');
    for (;;) {
      const wait = isTransient(error) && !this.hasLeft ? this.retries.recordFailure() : null;
      if (wait === null) throw error;
      this.events.onInterrupted();
      await pause(wait, this.wake.wait());
      try {
        const signaling = await this.join();
        this.retries.recordSuccess();
        return signaling;
      } catch (problem) {
        error = problem as Error;
      }
    }
  }

  private async join(): Promise<SignalingClient> {
    if (this.hasLeft) throw new ServerConnectionError('left');
    const signaling = await SignalingClient.join(this.input(), this.attempts);
    this.seen = this.peerSeen;
    this.current = signaling;
    this.room = signaling.joined.room;
    this.rejoinKey = signaling.joined.rejoinKey;
    this.events.onJoined(signaling.joined, signaling);
    void this.rejoinWhenLost(signaling);
    return signaling;
  }

  private async rejoinWhenLost(signaling: SignalingClient): Promise<void> {
    await signaling.lost.wait();
    if (this.hasLeft) return;
    await this.signaling().catch((error: Error) => this.attempts.fail(error));
  }

  private async rejoinToLeave(): Promise<SignalingClient | null> {
    if (this.rejoinKey === null) return null;
    const joining = SignalingClient.join(this.input(), new ClosableQueue());
    const timeout = (): Error => new ServerConnectionError('no answer');
    return withTimeout(joining, REJOIN_TO_LEAVE_MS, timeout).catch(() => null);
  }

  private input(): Parameters<typeof SignalingClient.join>[0] {
    const { link, role, device, doNotTrack, rejoinKey } = this;
    return { link, room: this.room ?? link.room, role, device, doNotTrack, rejoinKey };
  }
}
