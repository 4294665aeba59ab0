import { type DataFrame, FieldType } from '@grafana/data';
import { numberOf } from './frames';

export interface Buckets {
  times: number[];
  /** Upper bounds, lowest first. */
  bounds: number[];
  /** Column, row, count. */
  cells: [number, number, number][];
}

/** Prometheus's cumulative buckets (`le`) as non-cumulative counts over time. */
export function bucketsOf(frames: DataFrame[], least = 0): Buckets {
  const rows = frames
    .map((frame) => {
      const value = frame.fields.find((field) => field.type === FieldType.number);
      return { bound: numberOf(value?.labels?.le ?? 'NaN'), values: value?.values ?? [], times: frame.fields[0]?.values ?? [] };
    })
    .filter((row) => !Number.isNaN(row.bound))
    .sort((a, b) => a.bound - b.bound);
  const cells: Buckets['cells'] = [];
  rows.forEach((row, y) => {
    const below = rows[y - 1]?.values;
    row.values.forEach((total: number | null, x: number) => {
      const count = (total ?? 0) - (below?.[x] ?? 0);
      if (count > least) cells.push([x, y, count]);
    });
  });
  return { times: [...(rows[0]?.times ?? [])], bounds: rows.map((row) => row.bound), cells };
}
