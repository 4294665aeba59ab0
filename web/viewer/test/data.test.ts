import { createTheme, dateTime, type TimeRange } from '@grafana/data';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, ApiError, pendingQueries, reach } from '../src/api/client';
import { bucketsOf } from '../src/data/buckets';
import { seriesFrame } from '../src/data/frames';
import { loadPanel } from '../src/data/panelData';
import { initRegistries } from '../src/data/registry';
import type { Panel } from '../src/model/dashboard';
import { loadChoices } from '../src/model/variables';

const theme = createTheme({ colors: { mode: 'dark' } });
const from = dateTime(3_600_000);
const to = dateTime(7_200_000);
const range: TimeRange = { from, to, raw: { from, to } };
const span = { start: 0, end: 15, step: 15 };

/** A fake Prometheus; returns the requests it received. */
function answering(status: number, ...bodies: unknown[]) {
  const asked: { path: string; form: URLSearchParams }[] = [];
  vi.stubGlobal('fetch', (path: string, init?: RequestInit) => {
    asked.push({ path, form: new URLSearchParams(String(init?.body ?? '')) });
    return Promise.resolve(new Response(JSON.stringify(bodies[Math.min(asked.length, bodies.length) - 1]), { status }));
  });
  return asked;
}
const vector = (...result: unknown[]) => ({ data: { resultType: 'vector', result } });
const panel = (more: Partial<Panel>): Panel => ({ id: 1, type: 'stat', title: '', gridPos: { x: 0, y: 0, w: 1, h: 1 }, ...more });
const load = (wanted: Panel) => loadPanel(wanted, range, { job: '.+' }, theme, new AbortController().signal);

beforeAll(initRegistries);
afterEach(() => vi.unstubAllGlobals());

describe('a panel', () => {
  it('queries an instant or a range with its variables substituted', async () => {
    const asked = answering(200, vector());
    await load(panel({ targets: [{ refId: 'A', expr: 'a{job=~"$job"}[$__range]', instant: true }] }));
    await load(panel({ targets: [{ refId: 'A', expr: 'b[$__rate_interval]', range: true }] }));
    expect(asked.map(({ path }) => path)).toEqual(['/api/prometheus/query', '/api/prometheus/query_range']);
    expect(Object.fromEntries(asked[0]!.form)).toEqual({ query: 'a{job=~".+"}[3600s]', time: '7200' });
    expect(Object.fromEntries(asked[1]!.form)).toEqual({ query: 'b[60s]', start: '3600', end: '7200', step: '15' });
  });

  it('does not query hidden targets', async () => {
    const asked = answering(200, vector());
    await load(panel({ targets: [{ refId: 'A', expr: 'a', hide: true }] }));
    expect(asked).toEqual([]);
  });

  it('applies units, thresholds and the colour of a series', async () => {
    answering(200, vector({ metric: { status: 'failed' }, value: [7200, '0.25'] }));
    const red = { matcher: { id: 'byName', options: 'failed' }, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: '#ff0000' } }] };
    const { frames } = await load(
      panel({
        targets: [{ refId: 'A', expr: 'a', instant: true, legendFormat: '{{status}}' }],
        fieldConfig: { defaults: { unit: 'percentunit', decimals: 0 }, overrides: [red] },
      }),
    );
    const shown = frames[0]!.fields[1]!.display!(0.25);
    expect([shown.text, shown.suffix, shown.color]).toEqual(['25', '%', '#ff0000']);
  });

  it('renames and orders the columns of a table', async () => {
    answering(200, vector({ metric: { endpoint: '/api/rooms', status_code: '404' }, value: [7200, '3'] }));
    const organize = { excludeByName: { Time: true }, indexByName: { endpoint: 0, status_code: 1, Value: 2 }, renameByName: { endpoint: 'Endpoint' } };
    const { frames } = await load(
      panel({
        type: 'table',
        targets: [{ refId: 'A', expr: 'a', instant: true, format: 'table' }],
        transformations: [{ id: 'organize', options: organize }],
      }),
    );
    expect(frames[0]!.fields.map((field) => field.state?.displayName ?? field.name)).toEqual(['Endpoint', 'status_code', 'Value']);
  });
});

describe('a variable', () => {
  it('is queried with the values of the variables before it', async () => {
    const asked = answering(200, { data: ['tallow'] }, { data: ['a:1', 'b:1'] });
    const list = [
      { name: 'job', type: 'query', query: 'label_values(build, job)', includeAll: true, allValue: '.+', multi: true },
      { name: 'instance', type: 'query', query: 'label_values(build{job=~"$job"}, instance)', includeAll: true, multi: true },
    ];
    const board = { uid: 'x', title: '', panels: [], time: { from: '', to: '' }, templating: { list } };
    const choices = await loadChoices(board, { job: ['tallow'], instance: ['gone', 'b:1'] }, 0, 1);
    expect(choices.map(({ chosen }) => chosen)).toEqual([['tallow'], ['b:1']]);
    expect(new URL(asked[1]!.path, 'http://x').searchParams.get('match[]')).toBe('build{job=~"tallow"}');
  });
});

describe('buckets', () => {
  it('count the samples between two bounds', () => {
    const frame = (le: string, ...counts: string[]) =>
      seriesFrame({ refId: 'A', expr: '' }, { metric: { le }, values: counts.map((count, step) => [step * 15, count]) }, span);
    const { bounds, cells } = bucketsOf([frame('+Inf', '5', '7'), frame('1.0', '2', '0'), frame('10.0', '5', '4')]);
    expect(bounds).toEqual([1, 10, Infinity]);
    expect(cells).toEqual([[0, 0, 2], [0, 1, 3], [1, 1, 4], [1, 2, 3]]);
  });
});

describe('the connection', () => {
  it('is reported as lost only while Prometheus does not answer', async () => {
    answering(503, { error: 'Prometheus is not reachable' });
    await expect(ask('/api/prometheus/query')).rejects.toThrow('Prometheus is not reachable');
    expect(reach.now()).toBe('Prometheus is not reachable');
    answering(200, vector());
    await ask('/api/prometheus/query');
    expect(reach.now()).toBeNull();
  });

  it('counts pending queries, but neither alerts nor aborted queries', async () => {
    vi.stubGlobal('fetch', (_path: string, { signal }: RequestInit) =>
      new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))),
    );
    const stop = new AbortController();
    const asked = ask('/api/prometheus/query', undefined, stop.signal);
    const alerts = ask('/api/prometheus/alerts', undefined, stop.signal);
    expect(pendingQueries()).toBe(1);
    stop.abort();
    await expect(asked).rejects.toThrow();
    await expect(alerts).rejects.toThrow();
    expect(pendingQueries()).toBe(0);
    expect(reach.now()).toBeNull();
  });

  it('is not reported as lost after an invalid query', async () => {
    answering(400, { error: 'parse error' });
    await expect(ask('/api/prometheus/query')).rejects.toThrow(ApiError);
    expect(reach.now()).toBeNull();
  });
});
