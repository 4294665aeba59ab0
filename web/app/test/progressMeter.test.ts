/** What a transfer shows while data flows, and when it stalls. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgressMeter } from '../src/transfer/progressMeter';
import type { Progress } from '../src/types';

let shown: Progress[] = [];
let meter: ProgressMeter;

beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  meter = new ProgressMeter(() => shown.push(meter.value));
  meter.begin('transferring', 100_000_000, 1);
  meter.start(0, 0);
});

afterEach(() => {
  vi.useRealTimers();
});

test('bytes that come just before a stall are shown', () => {
  meter.add(7);
  expect(shown.at(-1)!.bytes).toBe(0);
  vi.advanceTimersByTime(250);
  expect(shown.at(-1)!.bytes).toBe(7);
});

test('the speed is the mean of the last seconds, and is shown at a bounded rate', () => {
  for (let step = 0; step < 100; step += 1) {
    vi.advanceTimersByTime(100);
    meter.add(step < 50 ? 1 : 100_000);
  }
  expect(shown.at(-1)!.bytesPerSecond).toBeCloseTo(1_000_000, -5);
  expect(Math.abs(shown.at(-1)!.secondsLeft! - 95)).toBeLessThan(5);
  expect(shown.length).toBeLessThan(60);
});

test('the speed of a stalled transfer falls to 0', () => {
  for (let step = 0; step < 20; step += 1) {
    vi.advanceTimersByTime(100);
    meter.add(100_000);
  }
  const before = shown.at(-1)!.bytesPerSecond!;
  vi.advanceTimersByTime(3_000);
  expect(shown.at(-1)!.bytesPerSecond).toBeLessThan(before / 2);
  vi.advanceTimersByTime(5_000);
  expect(shown.at(-1)).toMatchObject({ bytes: 2_000_000, bytesPerSecond: 0, secondsLeft: null });
  const reports = shown.length;
  vi.advanceTimersByTime(60_000);
  expect(shown.length).toBe(reports);
});

test('a transfer that stalls before its first byte has no speed for a while, and then 0', () => {
  vi.advanceTimersByTime(4_000);
  expect(shown.at(-1)!.bytesPerSecond).toBeNull();
  vi.advanceTimersByTime(2_000);
  expect(shown.at(-1)!.bytesPerSecond).toBe(0);
  meter.add(1_000_000);
  vi.advanceTimersByTime(1_000);
  expect(shown.at(-1)!.bytesPerSecond).toBeGreaterThan(0);
});

test('a phase without data is not reported again and again', () => {
  meter.begin('preparing', 0, 1);
  const reports = shown.length;
  vi.advanceTimersByTime(60_000);
  expect(shown.length).toBeLessThan(reports + 2);
});

test('nothing is shown after the last report', () => {
  meter.add(7);
  meter.report();
  const reports = shown.length;
  vi.advanceTimersByTime(60_000);
  expect(shown.length).toBe(reports);
  expect(shown.at(-1)!.bytes).toBe(7);
});
