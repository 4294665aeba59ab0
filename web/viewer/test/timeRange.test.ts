import { describe, expect, it } from 'vitest';
import { absoluteRange, addressTime, copiedRange, parseTime, pastedRange, rangeProblem, shiftRange, timeRangeOf, zoomRange } from '../src/model/timeRange';

const HOUR = 3_600_000;
const START = 1_700_000_000_000;
const range = (from: number, to: number) => timeRangeOf({ from: String(from), to: String(to) });
const hour = range(START, START + HOUR);
const LATER = START + 10 * HOUR;

describe('a moment', () => {
  it.each(['now', 'now-1h', 'now-1d/d', 'now-1d-2h', '2026-01-31', '2026-01-31 08:00', '2026-01-31T08:00:00Z', '1700000000000'])('is %s', (text) =>
    expect(parseTime(text)).toBeGreaterThan(0),
  );
  it.each(['', 'yesterday', 'javascript:1', 'now-', 'now-1', 'nowhere', '2026-13-45', '9999999999999999', '99999999999999999999', 'now-9999y', '-1700000000000', '1e12', ' '])(
    'is not “%s”',
    (text) => expect(parseTime(text)).toBeUndefined(),
  );
  it('is the end of the day at the end of a range', () => {
    expect(parseTime('2026-01-31')).toBe(new Date(2026, 0, 31).getTime());
    expect(parseTime('now/d', true)! - parseTime('now/d')!).toBeGreaterThan(22 * HOUR);
  });
});

describe('a range', () => {
  it('begins before it ends', () => {
    expect(rangeProblem('now-1h', 'now')).toBeUndefined();
    expect(rangeProblem('now', 'now-1h')).toBe('The range ends before it begins.');
    expect(rangeProblem('now-1h', 'soon')).toMatch(/^A time is now-2h/);
  });
  it('moves by half its length, but not past the present', () => {
    expect(shiftRange(hour, -1, LATER)).toEqual({ from: String(START - HOUR / 2), to: String(START + HOUR / 2) });
    expect(shiftRange(hour, 1, LATER)).toEqual({ from: String(START + HOUR / 2), to: String(START + 1.5 * HOUR) });
    expect(shiftRange(hour, 1, START + HOUR + 60_000)).toEqual({ from: String(START + 60_000), to: String(START + HOUR + 60_000) });
    expect(shiftRange(hour, 1, START + HOUR)).toBeUndefined();
    expect(shiftRange(range(0, HOUR), -1, LATER)).toBeUndefined();
  });
  it('zooms around its middle, but not past the present', () => {
    expect(zoomRange(hour, 2, LATER)).toEqual({ from: String(START - HOUR / 2), to: String(START + 1.5 * HOUR) });
    expect(zoomRange(hour, 0.5, LATER)).toEqual({ from: String(START + HOUR / 4), to: String(START + 0.75 * HOUR) });
    expect(zoomRange(hour, 2, START + HOUR)).toEqual({ from: String(START - HOUR), to: String(START + HOUR) });
    expect(zoomRange(range(START, START + 60_000), 0.5, LATER)).toEqual({ from: String(START), to: String(START + 60_000) });
  });
  it('is made absolute, copied and pasted', () => {
    const moving = timeRangeOf({ from: 'now-1h', to: 'now' });
    expect(absoluteRange(moving)).toEqual({ from: String(moving.from.valueOf()), to: String(moving.to.valueOf()) });
    expect(pastedRange(copiedRange(moving))).toEqual({ from: 'now-1h', to: 'now' });
    expect(pastedRange(copiedRange(hour))).toEqual({ from: String(START), to: String(START + HOUR) });
  });
  it.each(['', '{', 'null', '[]', '{"from": 1, "to": 2}', '{"from": "now", "to": "now-1h"}'])('is not “%s” from the clipboard', (text) =>
    expect(pastedRange(text)).toBeUndefined(),
  );
  it('is in the address as it was typed, or in milliseconds', () => {
    expect([addressTime('now-2h'), addressTime('2026-01-31')]).toEqual(['now-2h', String(new Date(2026, 0, 31).getTime())]);
  });
});
