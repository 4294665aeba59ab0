import { ask } from './client';

export type Labels = Record<string, string>;
export type Point = [seconds: number, value: string];
export interface Series {
  metric: Labels;
  value?: Point;
  values?: Point[];
}
export interface Span {
  start: number;
  end: number;
  step: number;
}

interface Answer<T> {
  data: T;
}
interface QueryData {
  resultType: string;
  result: Series[] | Point;
}

/** One sample of each series at a time in Unix seconds. */
export async function instant(query: string, time: number, signal?: AbortSignal): Promise<Series[]> {
  return series(await post('query', { query, time: String(time) }, signal));
}

/** Samples at every step of a span. */
export async function range(query: string, { start, end, step }: Span, signal?: AbortSignal): Promise<Series[]> {
  const form = { query, start: String(start), end: String(end), step: String(step) };
  return series(await post('query_range', form, signal));
}

/** The values of a label on the matching series, sorted by Prometheus. */
export async function labelValues(
  label: string,
  match: string,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const asked = new URLSearchParams({ 'match[]': match, start: String(start), end: String(end) });
  const answer = await ask<Answer<string[]>>(`/api/prometheus/label/${encodeURIComponent(label)}/values?${asked}`, undefined, signal);
  return answer.data;
}

async function post(path: string, form: Record<string, string>, signal?: AbortSignal): Promise<QueryData> {
  return (await ask<Answer<QueryData>>(`/api/prometheus/${path}`, new URLSearchParams(form), signal)).data;
}

/** A scalar is one series without labels. */
function series(data: QueryData): Series[] {
  return data.resultType === 'scalar' ? [{ metric: {}, value: data.result as Point }] : (data.result as Series[]);
}
