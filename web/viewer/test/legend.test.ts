import { describe, expect, it } from 'vitest';
import { isolate, toggle, visible } from '../src/model/legendSelection';
import { legendLayout } from '../src/panels/legendLayout';

const all = ['a', 'b', 'c'];

describe('a selection', () => {
  it('is one series after a click, and all series after a second click', () => {
    expect(isolate('a', undefined)).toEqual(['a']);
    expect(isolate('a', ['a'])).toBeUndefined();
    expect(isolate('a', ['b', 'c'])).toEqual(['a']);
  });
  it('loses and gains a series with Ctrl', () => {
    expect(toggle('b', undefined, all)).toEqual(['a', 'c']);
    expect(toggle('b', ['a', 'c'], all)).toBeUndefined();
    expect(toggle('b', ['a'], all)).toEqual(['a', 'b']);
    expect(toggle('a', ['a'], all)).toBeUndefined();
  });
  it('of series that no longer exist shows all series', () => {
    expect([...visible(['gone'], all)]).toEqual(all);
    expect([...visible(['gone', 'b'], all)]).toEqual(['b']);
  });
});

describe('a legend', () => {
  const beside = { placement: 'right', displayMode: 'table', calcs: ['lastNotNull', 'max'] } as any;
  const layout = (more: object) => legendLayout({ options: beside, names: [['success', 'failed', 'cancelled']], width: 1000, height: 240, wideWindow: true, ...more });
  const six = [['one', 'two', 'three', 'four', 'five', 'six']];
  it('is a table beside a wide graph', () =>
    expect(layout({})).toMatchObject({ placement: 'right', displayMode: 'table', calcs: ['lastNotNull', 'max'], maxWidth: '30%' }));
  it('is below a graph of half the width if more values fit there', () => {
    expect(layout({ width: 700 })).toMatchObject({ placement: 'bottom', displayMode: 'list', calcs: ['lastNotNull', 'max'], maxHeight: '25%' });
    expect(layout({ width: 700, names: six })).toMatchObject({ placement: 'right', displayMode: 'table', calcs: ['lastNotNull'] });
  });
  it('shows only names if values would truncate them', () => {
    const long = ['chunk', 'connection', 'signaling', 'transfer'].flatMap((operation) => [`${operation} success`, `${operation} failed`]);
    expect(layout({ width: 700, names: [long] })).toMatchObject({ placement: 'right', calcs: [] });
    expect(layout({ width: 700, names: [long.map((name) => `a-host.example.com:3000 ${name}`)] })).toMatchObject({ placement: 'bottom', calcs: [] });
  });
  it('is below a narrow graph, and in a narrow window', () => {
    expect(layout({ width: 360, names: six })).toMatchObject({ placement: 'bottom', displayMode: 'list' });
    expect(layout({ wideWindow: false, names: six })).toMatchObject({ placement: 'bottom', displayMode: 'list' });
  });
  it('shows fewer values below the more names there are', () => {
    const many = Array.from({ length: 10 }, (_, index) => `a long name ${index}`);
    expect(layout({ width: 700, wideWindow: false, names: [['a', 'b']] }).calcs).toHaveLength(2);
    expect(layout({ width: 700, wideWindow: false, names: [many] }).calcs).toEqual([]);
    expect(layout({ width: 360, height: 224, names: [['failed share'], ['failed a minute']] }).calcs).toEqual([]);
  });
  it('is hidden on request, and a list by default', () => {
    expect(layout({ options: { showLegend: false } })).toMatchObject({ showLegend: false });
    expect(layout({ options: undefined })).toMatchObject({ showLegend: true, placement: 'bottom', displayMode: 'list', calcs: [] });
  });
});
