// Converts Prometheus's responses to Grafana's data frames.
import { createDataFrame, type DataFrame, FieldType } from '@grafana/data';
import type { Labels, Series, Span } from '../api/prometheus';
import type { Target } from '../model/dashboard';

/** Parse a sample's value. */
export function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

/** The name of a series by the target's legend format; undefined without a format. */
export function legendOf(target: Target, labels: Labels): string | undefined {
  const format = target.legendFormat;
  if (!format || format === '__auto') return undefined;
  return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name: string) => labels[name] ?? '');
}

/** One frame per series; missing steps are null, so that a gap is drawn as a gap. */
export function seriesFrame(target: Target, series: Series, span?: Span): DataFrame {
  const points = series.values ?? (series.value ? [series.value] : []);
  const values = new Map(points.map(([at, text]) => [at, numberOf(text)]));
  const times = span ? steps(span) : [...values.keys()];
  const name = legendOf(target, series.metric);
  return createDataFrame({
    refId: target.refId,
    name,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        config: span ? { interval: span.step * 1000 } : {},
        values: times.map((at) => at * 1000),
      },
      {
        name: 'Value',
        type: FieldType.number,
        labels: series.metric,
        config: name ? { displayNameFromDS: name } : {},
        values: times.map((at) => finite(values.get(at))),
      },
    ],
  });
}

/** One frame for all series: one column per label, and the value. */
export function tableFrame(target: Target, found: Series[], severalTargets: boolean): DataFrame {
  const labels = [...new Set(found.flatMap((series) => Object.keys(series.metric)))].sort();
  const rows = found.flatMap((series) =>
    (series.values ?? [series.value!]).map(([at, text]) => ({ at, value: numberOf(text), labels: series.metric })),
  );
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.at * 1000) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        values: rows.map((row) => row.labels[label] ?? ''),
      })),
      {
        name: severalTargets ? `Value #${target.refId}` : 'Value',
        type: FieldType.number,
        values: rows.map((row) => row.value),
      },
    ],
  });
}

/** A span aligned to its step, so that every refresh requests the same points. */
export function aligned(from: number, to: number, step: number): Span {
  return { start: Math.floor(from / step) * step, end: Math.floor(to / step) * step, step };
}

export function steps({ start, end, step }: Span): number[] {
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step);
}

function finite(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
