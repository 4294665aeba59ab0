// Steps and rate intervals, computed as Grafana does for Prometheus.

export const SCRAPE_S = 15;
const POINTS = 300;
const NICE = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Seconds between two points of a span: about 300 points, but at least the scrape interval. */
export function stepOf(seconds: number): number {
  const wanted = seconds / POINTS;
  return NICE.find((step) => step >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
}

/** `$__rate_interval` in seconds: step plus scrape interval, at least four scrapes, so that `rate` has samples. */
export function rateIntervalOf(step: number): number {
  return Math.max(step + SCRAPE_S, 4 * SCRAPE_S);
}

/** Parse an interval such as `30s` to milliseconds; 0 (no refresh) if it is invalid. */
export function millisecondsOf(interval: string | undefined): number {
  const [, count, unit] = /^(\d+)([smh])$/.exec(interval ?? '') ?? [];
  const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };
  return count && unit ? Math.max(5000, Number(count) * units[unit]!) : 0;
}
