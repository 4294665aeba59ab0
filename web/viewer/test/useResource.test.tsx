import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Load, type Resource, useResource } from '../src/shell/useResource';

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);

/** A load that the test resolves or rejects, even after it was aborted. */
function pending() {
  let resolve!: (value: string) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<string>((...both) => ([resolve, reject] = both));
  const signals: AbortSignal[] = [];
  const load: Load<string> = (signal) => (signals.push(signal), promise);
  return { load, resolve, reject, signals };
}

let root: Root;
let shown: Resource<string>;
function Reader({ load }: { load?: Load<string> }) {
  shown = useResource(load);
  return null;
}
const render = (load?: Load<string>) => act(() => root.render(<Reader load={load} />));
const settle = (change: () => void) => act(async () => change());

beforeEach(() => {
  root = createRoot(document.createElement('div'));
});
afterEach(() => act(() => root.unmount()));

describe('a resource', () => {
  it('loads, and shows the value', async () => {
    const first = pending();
    await render(first.load);
    expect(shown).toMatchObject({ value: undefined, loading: true });
    await settle(() => first.resolve('one'));
    expect(shown).toEqual({ value: 'one', error: undefined, loading: false });
  });

  it('is loading from the render that changes it, and keeps the old value meanwhile', async () => {
    const [first, second] = [pending(), pending()];
    await render(first.load);
    await settle(() => first.resolve('one'));
    await render(second.load);
    expect(shown).toMatchObject({ value: 'one', loading: true });
    expect(first.signals[0]!.aborted).toBe(true);
  });

  it('ignores a late result of an aborted load', async () => {
    const [first, second] = [pending(), pending()];
    await render(first.load);
    await render(second.load);
    await settle(() => second.resolve('two'));
    await settle(() => first.resolve('one'));
    expect(shown).toEqual({ value: 'two', error: undefined, loading: false });
  });

  it('ignores an early result of an aborted load while the newer load is pending', async () => {
    const [first, second] = [pending(), pending()];
    await render(first.load);
    await render(second.load);
    await settle(() => first.resolve('one'));
    expect(shown).toMatchObject({ value: undefined, loading: true });
  });

  it('ignores an error of an aborted load', async () => {
    const [first, second] = [pending(), pending()];
    await render(first.load);
    await render(second.load);
    await settle(() => second.resolve('two'));
    await settle(() => first.reject(new Error('late')));
    expect(shown).toEqual({ value: 'two', error: undefined, loading: false });
  });

  it('loads again when it returns to an aborted load', async () => {
    const [first, second] = [pending(), pending()];
    await render(first.load);
    await render(second.load);
    await render(first.load);
    expect(first.signals).toHaveLength(2);
    await settle(() => first.resolve('one'));
    expect(shown).toMatchObject({ value: 'one', loading: false });
  });

  it('keeps its value when the next load fails, and forgets the error after the one that succeeds', async () => {
    const [first, second, third] = [pending(), pending(), pending()];
    await render(first.load);
    await settle(() => first.resolve('one'));
    await render(second.load);
    await settle(() => second.reject(new Error('gone')));
    expect(shown).toMatchObject({ value: 'one', error: new Error('gone'), loading: false });
    await render(third.load);
    await settle(() => third.resolve('three'));
    expect(shown).toEqual({ value: 'three', error: undefined, loading: false });
  });

  it('is not loading if there is nothing to load', async () => {
    await render(undefined);
    expect(shown).toEqual({ value: undefined, error: undefined, loading: false });
  });
});
