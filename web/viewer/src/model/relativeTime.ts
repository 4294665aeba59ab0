const UNITS: [string, number][] = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];

/** The time between two moments in milliseconds, in its largest unit: `for 12 min`. */
export function relativeTime(then: number, now: number): string {
  const passed = Math.max(0, now - then);
  if (Number.isNaN(passed)) return '';
  const [unit, size] = UNITS.find(([, length]) => passed >= length) ?? ['s', 1000];
  return `for ${Math.floor(passed / size)} ${unit}`;
}
