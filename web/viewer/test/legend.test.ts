import { describe, expect, it } from 'vitest';
import { isolate, toggle, visible } from '../src/model/legendSelection';
import { legendLayout } from '../src/panels/legendLayout';

const all = ['a', 'b', 'c'];

describe('a selection', () => {
  it('is one series, and all again at the second click', () => {
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
  it('of series that are gone shows what there is', () => {
    expect([...visible(['gone'], all)]).toEqual(all);
    expect([...visible(['gone', 'b'], all)]).toEqual(['b']);
  });
});

describe('a legend', () => {
  const beside = { placement: 'right', displayMode: 'table', calcs: ['lastNotNull', 'max'] } as any;
  const layout = (more: object) => legendLayout({ options: beside, names: [['success', 'failed', 'cancelled']], width: 1000, height: 240, wideWindow: true, ...more });
  it('has all of its columns beside a wide graph, one beside a graph of half the width', () => {
    expect(layout({})).toMatchObject({ placement: 'right', displayMode: 'table', calcs: ['lastNotNull', 'max'] });
    expect(layout({ width: 700 })).toMatchObject({ placement: 'right', calcs: ['lastNotNull'], maxWidth: '30%' });
  });
  it('has names alone beside a graph where values would cut them off, and goes below with long names', () => {
    expect(layout({ width: 700, names: [['connection success', 'connection failed']] })).toMatchObject({ placement: 'right', calcs: [] });
    expect(layout({ width: 700, names: [['a-host-with-a-name.example.com:3000 resident']] })).toMatchObject({ placement: 'bottom' });
  });
  it('goes below a narrow graph, and in a narrow window', () => {
    expect(layout({ width: 360 })).toMatchObject({ placement: 'bottom', displayMode: 'list', maxHeight: '25%' });
    expect(layout({ wideWindow: false })).toMatchObject({ placement: 'bottom', displayMode: 'list' });
  });
  it('says less below the more names there are', () => {
    const many = Array.from({ length: 10 }, (_, index) => `a long name ${index}`);
    expect(layout({ width: 700, wideWindow: false, names: [['a', 'b']] }).calcs).toHaveLength(2);
    expect(layout({ width: 700, wideWindow: false, names: [many] }).calcs).toEqual([]);
    expect(layout({ width: 360, height: 224, names: [['failed share'], ['failed a minute']] }).calcs).toEqual([]);
  });
  it('is hidden where it is wanted hidden, and a list where nothing is said', () => {
    expect(layout({ options: { showLegend: false } })).toMatchObject({ showLegend: false });
    expect(layout({ options: undefined })).toMatchObject({ showLegend: true, placement: 'bottom', displayMode: 'list', calcs: [] });
  });
});
