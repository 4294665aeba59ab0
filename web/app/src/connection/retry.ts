/** Retries: delays between them, and how they are counted. */

import type { Fact } from '../types';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
const GIVE_UP_AFTER_MS = 600_000;

export class RetrySchedule {
  private failingSince: number | null = null;
  private failures = 0;

  /** `operation`: label of `retry_attempts_total`. */
  constructor(
    public operation: 'signaling' | 'connection' | 'transfer',
    private readonly onFact: (fact: Fact) => void,
  ) {}

  /** Counts a failed attempt. Returns milliseconds to wait before the next; null to give up. */
  recordFailure(): number | null {
    if (this.failures > 0) this.count('failed');
    this.onFact({ metric: 'errors_total', labels: { type: 'network', severity: 'medium' }, value: 1 });
    const now = performance.now();
    this.failingSince ??= now;
    if (now - this.failingSince >= GIVE_UP_AFTER_MS) return null;
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.failures, 30));
    this.failures++;
    // Both sides lose each other at the same moment and must not retry in step.
    return delay * (0.5 + Math.random() / 2);
  }

  /** Does not count the time until now: this side waited for the other one, nothing failed. */
  restartClock(): void {
    this.failingSince = null;
  }

  /** The operation works again. */
  recordSuccess(): void {
    if (this.failures > 0) {
      this.count('success');
      this.onFact({ metric: 'error_recoveries_total', labels: { type: 'network' }, value: 1 });
    }
    this.failures = 0;
    this.failingSince = null;
  }

  private count(status: 'success' | 'failed'): void {
    const labels = { operation: this.operation, status };
    this.onFact({ metric: 'retry_attempts_total', labels, value: 1 });
  }
}
