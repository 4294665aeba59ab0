import { describe, expect, it } from 'vitest';
import { merge, panelPath, webAddress } from '../src/api/alerts';
import { regionsOf } from '../src/data/annotations';
import { legendOf, numberOf, seriesFrame, tableFrame } from '../src/data/frames';
import { isTick, moment, tickOf } from '../src/data/ticks';
import { addressProblems, otherDashboard, readAddress, writeAddress } from '../src/model/address';
import { millisecondsOf, rateIntervalOf, stepOf } from '../src/model/timing';
import { asPattern, interpolate, stillThere, unasked, unknownChoices } from '../src/model/variables';
import { pairs } from '../src/model/dashboard';

const rule = (alertname: string, severity: string) =>
  ({ labels: { alertname, severity }, annotations: {}, state: 'firing', activeAt: '' }) as const;
const variable = { name: 'job', type: 'query', query: '', includeAll: true, allValue: '.+', multi: true };

describe('variables', () => {
  it('are substituted in both spellings, and unknown ones stay', () => {
    expect(interpolate('a{job=~"$job"}[${__range}] $other', { job: 'x', __range: '1h' })).toBe('a{job=~"x"}[1h] $other');
  });
  it('escape choices for the pattern and for the string', () => {
    expect(asPattern({ variable, options: [], chosen: ['a.b'] })).toBe('a\\\\.b');
    expect(asPattern({ variable, options: [], chosen: ['a', 'b"} or up{x="'] })).toBe('(a|b\\"\\\\} or up\\\\{x=\\")');
    expect(asPattern({ variable, options: [], chosen: ['$__all'] })).toBe('.+');
  });
  it('with choices that do not exist are reported', () => {
    const choices = [{ variable, options: ['a'], chosen: ['$__all'] }];
    expect(unknownChoices(choices, { job: ['$__all', 'a'] })).toEqual([]);
    expect(unknownChoices(choices, { job: ['a', 'gone'], other: ['x'] })).toEqual(['var-job: “gone” has no data in this time range and is left out.']);
  });
  it('keep a choice only while it exists', () => {
    expect(stillThere(variable, ['gone', 'a'], ['a', 'b'])).toEqual(['a']);
    expect(stillThere(variable, ['gone'], ['a'])).toEqual(['$__all']);
  });
});

describe('before the options are known', () => {
  const board = { uid: 'x', title: '', panels: [], time: { from: '', to: '' }, templating: { list: [variable] } };
  it('all values are queried, or those in the address', () => {
    expect(unasked(board, {})?.[0]?.chosen).toEqual(['$__all']);
    expect(unasked(board, { job: ['a'] })?.[0]?.chosen).toEqual(['a']);
  });
  it('nothing is queried if the default is the first option', () => {
    expect(unasked({ ...board, templating: { list: [{ ...variable, includeAll: false }] } }, {})).toBeUndefined();
  });
});

describe('the address', () => {
  it('is read as it was written', () => {
    const address = { uid: 'tallow-errors', from: 'now-3h', to: 'now', refresh: '', viewPanel: 6, variables: { job: ['a', 'b&c'] } };
    const [path, search] = writeAddress(address).split('?');
    expect(readAddress(path!, `?${search}`)).toEqual(address);
  });
  it('holds the selections of legends, but not for other dashboards', () => {
    const address = { uid: 'x', variables: { job: ['a'] }, legends: { 6: ['p50', 'a&b=c'], 12: ['ü'] }, viewPanel: 6, kiosk: true };
    const [path, search] = writeAddress(address).split('?');
    expect(readAddress(path!, `?${search}`)).toEqual(address);
    expect(otherDashboard(address, 'y')).toBe('/d/y?var-job=a&kiosk=1');
  });
  it('reports unusable parameters and what is accepted', () => {
    expect(addressProblems('?from=now-1h&to=now&refresh=&viewPanel=panel-6&kiosk')).toEqual([]);
    const found = addressProblems(`?from=yesterday&refresh=often&viewPanel=no&to=${'x'.repeat(500)}`);
    expect(found).toHaveLength(5);
    expect(found[0]).toBe('from=“yesterday” is not usable: a time is now-2h, 2026-01-31 08:00, or milliseconds since 1970.');
    expect(found[1]!.length).toBeLessThan(150);
  });
  it.each(['/d/%E0%A4%A', '/d/%'])('takes a broken one: %s', (path) => expect(readAddress(path, '').uid).toMatch(/%/));
  it('leaves out invalid parameters', () => {
    const read = readAddress('/d/x', '?from=javascript:1&to=tomorrow&viewPanel=no');
    expect(read).toMatchObject({ uid: 'x', from: undefined, to: undefined, viewPanel: undefined });
  });
});

describe('timing', () => {
  it('never steps below the scrape interval, and always has four scrapes in a rate', () => {
    expect([300, 3600, 86_400, 2_592_000].map(stepOf)).toEqual([15, 15, 300, 10_800]);
    expect([15, 300].map(rateIntervalOf)).toEqual([60, 315]);
  });
  it('parses intervals, and invalid ones as 0', () => {
    expect(['15s', '1m', '', 'x', undefined].map(millisecondsOf)).toEqual([15_000, 60_000, 0, 0, 0]);
  });
});

describe('frames', () => {
  const target = { refId: 'A', expr: '', legendFormat: '{{ status }} of {{job}}' };
  it('hold null for a gap, not NaN', () => {
    const series = { metric: { status: 'ok' }, values: [[0, '1'], [30, 'NaN']] as [number, string][] };
    expect([...seriesFrame(target, series, { start: 0, end: 45, step: 15 }).fields[1]!.values]).toEqual([1, null, null, null]);
  });
  it('name a series by its labels', () => expect(legendOf(target, { status: 'ok' })).toBe('ok of '));
  it('parse infinities', () => expect(['+Inf', '-Inf', '2'].map(numberOf)).toEqual([Infinity, -Infinity, 2]));
  it('have a column for every label', () => {
    const frame = tableFrame(target, [{ metric: { b: '1' }, value: [1, '2'] }, { metric: { a: '3' }, value: [1, '4'] }], true);
    expect(frame.fields.map((field) => field.name)).toEqual(['Time', 'a', 'b', 'Value #A']);
  });
});

describe('ticks of a time axis', () => {
  it('are round and few', () => {
    expect(tickOf(3_600_000, 8)).toBe(600_000);
    expect(tickOf(30 * 86_400_000, 6)).toBe(7 * 86_400_000);
  });
  it('are aligned to local time', () => {
    const noon = new Date(2026, 0, 31, 12, 0).getTime();
    expect([isTick(noon, 3_600_000), isTick(noon + 60_000, 3_600_000)]).toEqual([true, false]);
    expect(moment(new Date(2026, 0, 31, 0, 5).getTime())).toBe('00:05');
  });
});

describe('a narrow screen', () => {
  it('has two values per row, and an odd one alone', () => {
    const panels = ['stat', 'stat', 'stat', 'timeseries', 'gauge', 'gauge'].map(
      (type, id) => ({ id, type, title: '', gridPos: { x: 0, y: id, w: 1, h: 1 } }),
    );
    expect([...pairs(panels)].map(({ id }) => id)).toEqual([0, 1, 4, 5]);
  });
});

describe('alerts', () => {
  it('leave out the one that always fires', () => expect(merge([rule('Watchdog', 'none')], [])).toEqual([]));

  it('are marked as silenced or inhibited, the most severe first', () => {
    const held = [{ labels: { severity: 'critical', alertname: 'B' }, status: { silencedBy: ['1'], inhibitedBy: [] } }];
    const found = merge([rule('A', 'warning'), rule('B', 'critical'), rule('C', 'critical')], held);
    expect(found.map(({ name, state }) => [name, state])).toEqual([['C', 'firing'], ['A', 'firing'], ['B', 'silenced']]);
  });
  it('lead to our panels and to web pages only', () => {
    expect(panelPath('http://other:3001/d/tallow-errors?viewPanel=6')).toBe('/d/tallow-errors?viewPanel=6');
    expect(panelPath('http://other/evil')).toBeUndefined();
    expect(webAddress('javascript:alert(1)')).toBeUndefined();
    expect(webAddress('https://runbooks.example/a')).toBe('https://runbooks.example/a');
  });
  it('are regions as long as no sample is missing', () => {
    const annotation = { name: 'n', enable: true, iconColor: 'red', titleFormat: '{{alertname}}' };
    const series = { metric: { alertname: 'X' }, values: [[0, '1'], [15, '1'], [60, '1']] as [number, string][] };
    const found = regionsOf(annotation, series, 15, '#f00');
    expect(found.map(({ from, to, title }) => [from, to, title])).toEqual([[0, 15_000, 'X'], [60_000, 60_000, 'X']]);
  });
});
