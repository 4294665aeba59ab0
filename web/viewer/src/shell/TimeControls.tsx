import type { TimeRange } from '@grafana/data';
import { type FormEvent, useState } from 'react';
import { addressTime, type RawRange, rangeProblem, shiftRange, zoomRange } from '../model/timeRange';

const QUICK: [string, string][] = [
  ['now-5m', 'Last 5 minutes'], ['now-15m', 'Last 15 minutes'], ['now-30m', 'Last 30 minutes'], ['now-1h', 'Last hour'],
  ['now-3h', 'Last 3 hours'], ['now-6h', 'Last 6 hours'], ['now-12h', 'Last 12 hours'], ['now-24h', 'Last 24 hours'],
  ['now-2d', 'Last 2 days'], ['now-7d', 'Last 7 days'], ['now-30d', 'Last 30 days'],
];
const REFRESH = ['', '5s', '10s', '15s', '30s', '1m', '5m', '15m'];

interface Props {
  from: string;
  to: string;
  range: TimeRange;
  refresh: string;
  onRange: (from: string, to: string) => void;
  onRefresh: (interval: string) => void;
  onNow: () => void;
}

/** Controls of the time range and the refresh interval. */
export function TimeControls({ from, to, range, refresh, onRange, onRefresh, onNow }: Props) {
  const [custom, setCustom] = useState(false);
  const known = to === 'now' && QUICK.some(([quick]) => quick === from);
  const [start, end] = [range.from.valueOf(), range.to.valueOf()];
  const go = (next: RawRange | undefined) => next && onRange(next.from, next.to);
  return (
    <div className="time" role="group" aria-label="Time">
      <button type="button" aria-label="Earlier" onClick={() => go(shiftRange(range, -1, Date.now()))}>‹</button>
      <select
        aria-label="Time range"
        value={known ? from : 'custom'}
        onChange={({ target }) => (target.value === 'custom' ? setCustom(true) : (setCustom(false), onRange(target.value, 'now')))}
      >
        {QUICK.map(([quick, label]) => <option key={quick} value={quick}>{label}</option>)}
        <option value="custom">{known ? 'Other …' : span(start, to === 'now' ? undefined : end)}</option>
      </select>
      <button type="button" aria-label="Later" onClick={() => go(shiftRange(range, 1, Date.now()))}>›</button>
      <button type="button" aria-label="Zoom out" onClick={() => go(zoomRange(range, 2, Date.now()))}>−</button>
      {!known && !custom && <button type="button" onClick={() => setCustom(true)}>Edit</button>}
      {custom && <CustomRange from={from} to={to} onRange={onRange} onDone={() => setCustom(false)} />}
      <button type="button" aria-label="Refresh dashboard" onClick={onNow}>⟳</button>
      <select aria-label="Refresh interval" value={refresh} onChange={({ target }) => onRefresh(target.value)}>
        {[...new Set([...REFRESH, refresh])].map((every) => <option key={every} value={every}>{every || 'Off'}</option>)}
      </select>
    </div>
  );
}

function CustomRange({ from, to, onRange, onDone }: { from: string; to: string; onRange: Props['onRange']; onDone: () => void }) {
  const [error, setError] = useState('');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const asked = new FormData(event.currentTarget);
    const [start, end] = [String(asked.get('from')).trim(), String(asked.get('to')).trim()];
    const problem = rangeProblem(start, end);
    if (problem) return setError(problem);
    onRange(addressTime(start), addressTime(end, true));
    onDone();
  };
  return (
    <form onSubmit={submit} onKeyDown={(event) => event.key === 'Escape' && onDone()}>
      <input name="from" aria-label="From" defaultValue={readable(from)} autoFocus />
      <input name="to" aria-label="To" defaultValue={readable(to)} />
      <button type="submit">Show</button>
      {error && <span role="alert">{error}</span>}
    </form>
  );
}

/** A span as text; the date is omitted from the end if it is the same day. */
function span(start: number, end: number | undefined): string {
  const [left, right] = [clock(start), end === undefined ? 'now' : clock(end)];
  const day = left.slice(0, 11);
  return `${left} – ${right.startsWith(day) ? right.slice(day.length) : right}`;
}

const readable = (moment: string) => (/^\d+$/.test(moment) ? clock(Number(moment)) : moment);

function clock(milliseconds: number): string {
  const at = new Date(milliseconds - new Date(milliseconds).getTimezoneOffset() * 60_000).toISOString();
  return at.slice(0, 19).replace('T', ' ');
}
