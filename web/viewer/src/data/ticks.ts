// Ticks of a time axis at round local times.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ROUND = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];

/** Milliseconds between ticks, such that at most `most` of them fit into a span. */
export function tickOf(span: number, most: number): number {
  return ROUND.find((every) => span / every <= most) ?? ROUND.at(-1)!;
}

/** Whether a time lies on a tick in local time. */
export function isTick(at: number, every: number): boolean {
  return (at - new Date(at).getTimezoneOffset() * MINUTE) % every === 0;
}

/** A time as text: the date if ticks are days, otherwise the 24-hour time. */
export function moment(at: number, every = MINUTE): string {
  const options: Intl.DateTimeFormatOptions =
    every >= DAY ? { month: '2-digit', day: '2-digit' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return new Date(at).toLocaleString([], options);
}
