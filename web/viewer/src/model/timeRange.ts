// Times and time ranges in Grafana's URL format.
import { dateMath, dateTime, type TimeRange } from '@grafana/data';

export const ACCEPTED_TIMES = 'now-2h, 2026-01-31 08:00, or milliseconds since 1970';
const LATEST = Date.UTC(9999, 11, 31);
const LONGEST_TEXT = 40;
const SHORTEST_MS = 60_000;

/** The two ends of a range in URL format. */
export interface RawRange {
  from: string;
  to: string;
}
interface Ends {
  from: number;
  to: number;
}

/** Parse a time to Unix milliseconds; undefined if it is invalid. `roundUp`: `now/d` is the end of the day. */
export function parseTime(text: string, roundUp = false): number | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const moment = /^\d{10,}$/.test(text) ? Number(text) : dateMath.parse(text, roundUp)?.valueOf();
  return moment !== undefined && moment >= 0 && moment <= LATEST ? moment : undefined;
}

/** Why two texts are not a valid time range; undefined if they are. */
export function rangeProblem(from: string, to: string): string | undefined {
  const [left, right] = [parseTime(from), parseTime(to, true)];
  if (left === undefined || right === undefined) return `A time is ${ACCEPTED_TIMES}.`;
  return left < right ? undefined : 'The range ends before it begins.';
}

/** Both ends at one moment of the clock: `now` and `now-1h` are an hour apart, to the millisecond. */
function parseEnds(from: string, to: string): [number | undefined, number | undefined] {
  for (;;) {
    const start = Date.now();
    const ends: [number | undefined, number | undefined] = [parseTime(from), parseTime(to, true)];
    if (Date.now() === start) return ends;
  }
}

/** The range between two valid times. A range that ends `now` moves with the clock. */
export function timeRangeOf({ from, to }: RawRange): TimeRange {
  const ends = parseEnds(from, to);
  const [left, right] = [dateTime(ends[0]), dateTime(ends[1])];
  const raw = { from: isRelative(from) ? from : left, to: isRelative(to) ? to : right };
  return { from: left, to: right, raw };
}

/** The same range with absolute ends. */
export function absoluteRange(range: TimeRange): RawRange {
  return rawOf({ from: range.from.valueOf(), to: range.to.valueOf() });
}

/** The range shifted by half its length, earlier (-1) or later (1), but not past `now`; undefined without a change. */
export function shiftRange(range: TimeRange, direction: -1 | 1, now: number): RawRange | undefined {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const wanted = (direction * (to - from)) / 2;
  const shift = direction > 0 ? Math.min(wanted, Math.max(0, now - to)) : Math.max(wanted, -from);
  return Math.round(shift) === 0 ? undefined : rawOf({ from: from + shift, to: to + shift });
}

/** The range scaled by `factor` around its middle, at least a minute long and not past `now`. */
export function zoomRange(range: TimeRange, factor: number, now: number): RawRange {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const length = Math.max(SHORTEST_MS, (to - from) * factor);
  const end = Math.min((from + to) / 2 + length / 2, Math.max(now, to));
  return rawOf({ from: Math.max(0, end - length), to: end });
}

/** A range in Grafana's clipboard format. */
export function copiedRange(range: TimeRange): string {
  const text = (moment: TimeRange['raw']['from']) => (typeof moment === 'string' ? moment : moment.toISOString());
  return JSON.stringify({ from: text(range.raw.from), to: text(range.raw.to) });
}

/** Parse a range in clipboard format; undefined if it is invalid. */
export function pastedRange(text: string): RawRange | undefined {
  try {
    const { from, to } = JSON.parse(text) as Partial<RawRange>;
    if (typeof from !== 'string' || typeof to !== 'string' || rangeProblem(from, to)) return undefined;
    return { from: addressTime(from), to: addressTime(to) };
  } catch {
    return undefined;
  }
}

/** A valid time in URL format: relative times unchanged, others in milliseconds. */
export function addressTime(text: string, roundUp = false): string {
  return isRelative(text) ? text : String(parseTime(text, roundUp));
}

const isRelative = (text: string) => text.startsWith('now');
const rawOf = ({ from, to }: Ends): RawRange => ({ from: String(Math.round(from)), to: String(Math.round(to)) });
