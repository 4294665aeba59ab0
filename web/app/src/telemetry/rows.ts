import catalog from './catalog.json';
import type { Fact } from '../types';

interface MetricShape {
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly buckets?: readonly number[];
}

/** Metrics of the catalogue that a peer may report; generated from it by `tallow generate`. */
const CATALOG = catalog as Readonly<Record<string, MetricShape>>;

export interface CounterRow {
  labels: Readonly<Record<string, string>>;
  value: number;
}
export interface HistogramRow {
  labels: Readonly<Record<string, string>>;
  buckets: number[];
  sum: number;
}
export type Row = CounterRow | HistogramRow;
export type Metrics = Record<string, Row[]>;

/** Metrics that the server accepts once a transfer. */
const OUTCOME_METRICS = new Set([
  'transfers_total',
  'transfer_duration_seconds',
  'transfer_speed_mbps',
  'file_size_bytes',
]);

/** Whether the server would accept the fact. One that is not in the catalogue would void its whole report. */
export function isKnown(fact: Fact): boolean {
  const shape = CATALOG[fact.metric];
  if (!shape) return false;
  const names = Object.keys(shape.labels);
  if (names.length !== Object.keys(fact.labels).length) return false;
  return names.every((name) => shape.labels[name]?.includes(fact.labels[name] ?? '') ?? false);
}

/** What has happened and is not reported yet, by metric and labels. */
export class Rows {
  #rows = new Map<string, { metric: string; row: Row }>();

  /** Adds a fact; one that the catalogue does not have is left out. */
  add(fact: Fact): void {
    const shape = CATALOG[fact.metric];
    if (!shape || !isKnown(fact)) return;
    const key = factKey(fact.metric, fact.labels);
    const found = this.#rows.get(key) ?? { metric: fact.metric, row: emptyRow(fact, shape) };
    this.#rows.set(key, found);
    if ('value' in found.row) found.row.value += fact.value ?? 1;
    else observe(found.row, fact.observed ?? 0, shape.buckets ?? []);
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** Returns everything and forgets it. */
  take(): Metrics {
    const metrics: Metrics = {};
    for (const { metric, row } of this.#rows.values()) (metrics[metric] ??= []).push(row);
    this.#rows.clear();
    return metrics;
  }

  /** Adds rows that were taken and could not be reported. */
  putBack(metrics: Metrics): void {
    for (const [metric, rows] of Object.entries(metrics)) {
      for (const row of rows) {
        const key = factKey(metric, row.labels);
        const found = this.#rows.get(key)?.row;
        if (!found) this.#rows.set(key, { metric, row });
        else merge(found, row);
      }
    }
  }
}

export const factKey = (metric: string, labels: Readonly<Record<string, string>>): string =>
  JSON.stringify([metric, Object.entries(labels).sort()]);

/** Metrics without those that the server accepts once a transfer. */
export function withoutOutcome(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !OUTCOME_METRICS.has(name)));
}

function emptyRow(fact: Fact, shape: MetricShape): Row {
  const labels = { ...fact.labels };
  return shape.buckets
    ? { labels, buckets: Array(shape.buckets.length + 1).fill(0), sum: 0 }
    : { labels, value: 0 };
}

function observe(row: HistogramRow, value: number, edges: readonly number[]): void {
  const at = edges.findIndex((edge) => value <= edge);
  const index = at < 0 ? edges.length : at;
  row.buckets[index] = (row.buckets[index] ?? 0) + 1;
  row.sum += value;
}

function merge(into: Row, from: Row): void {
  if ('value' in into && 'value' in from) into.value += from.value;
  else if ('buckets' in into && 'buckets' in from) {
    into.buckets = into.buckets.map((count, index) => count + (from.buckets[index] ?? 0));
    into.sum += from.sum;
  }
}
