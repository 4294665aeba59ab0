import type { FactEvent, Session } from '../types';
import { mayCollect, requestsOptOut } from './optOut';
import { returnPending, takePending } from './pending';
import { Rows, withoutOutcome, type Metrics } from './rows';
import { keepReport } from './sentReports';

const REPORT_INTERVAL_MS = 15_000;
const REPORT_VERSION = 1;

/**
 * Reports what one session tells, and what waited for a transfer. A report is sent every quarter of a minute
 * and at the end. It has the room's token, never anything of the link.
 */
export class Reporter {
  readonly #session: Session;
  readonly #rows = new Rows();
  #timer: ReturnType<typeof setInterval> | undefined;
  #queue: Promise<void> = Promise.resolve();
  #firstReport = true;

  constructor(session: Session) {
    this.#session = session;
    session.addEventListener('fact', (event) => {
      if (mayCollect()) this.#rows.add((event as FactEvent).fact);
    });
    session.addEventListener('statechange', () => this.#follow());
    this.#follow();
  }

  /** Reports from time to time while the session runs, and once when it ends. It may go on later. */
  #follow(): void {
    const ended = ENDED.has(this.#session.state);
    if (ended && this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      removeEventListener('pagehide', this.#leave);
      void this.report(true);
    } else if (!ended && this.#timer === undefined) {
      this.#timer = setInterval(() => this.report(), REPORT_INTERVAL_MS);
      addEventListener('pagehide', this.#leave);
    }
  }

  /** Sends what has happened. Reports are sent one after the other: each needs the token of the one before. */
  report(keepAlive = false): Promise<void> {
    this.#queue = this.#queue.then(() => this.#report(keepAlive)).catch(() => undefined);
    return this.#queue;
  }

  readonly #leave = () => void this.report(true);

  async #report(keepAlive: boolean): Promise<void> {
    if (!mayCollect() || this.#session.telemetryToken === null || (await requestsOptOut())) return;
    const pending = this.#firstReport || ENDED.has(this.#session.state) ? await takePending() : {};
    const own = this.#rows.take();
    const metrics = joined(own, pending);
    if (Object.keys(metrics).length === 0) return;
    this.#firstReport = false;
    let status = await this.#post(metrics, keepAlive);
    if (status === 400 && 'transfers_total' in metrics) {
      // The server has counted this transfer's outcome already: report the rest.
      status = await this.#post(withoutOutcome(metrics), keepAlive);
    }
    if (status === null || status === 429 || status >= 500) {
      this.#rows.putBack(own);
      await returnPending(pending);
    }
  }

  async #post(metrics: Metrics, keepAlive: boolean): Promise<number | null> {
    const token = this.#session.telemetryToken;
    if (token === null || Object.keys(metrics).length === 0) return 200;
    const transfers = metrics['transfers_total']?.[0];
    const outcome = transfers ? { outcome: transfers.labels['status'] } : {};
    const body = JSON.stringify({ version: REPORT_VERSION, metrics, ...outcome });
    const correlationId = this.#session.correlationId;
    let status: number | null = null;
    try {
      const answer = await fetch('/api/telemetry', {
        method: 'POST',
        body,
        keepalive: keepAlive,
        credentials: 'omit',
        cache: 'no-store',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(correlationId ? { 'x-request-id': correlationId } : {}),
        },
      });
      status = answer.status;
      if (status === 200) this.#session.telemetryToken = ((await answer.json()) as { next: string }).next;
      else if (status === 401) this.#session.telemetryToken = null;
    } catch {
      // no network: what was taken is put back
    }
    await keepReport({ at: Date.now(), body, status, correlationId });
    return status;
  }
}

const ENDED: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

function joined(own: Metrics, pending: Metrics): Metrics {
  const rows = new Rows();
  rows.putBack(own);
  rows.putBack(structuredClone(pending));
  return rows.take();
}
