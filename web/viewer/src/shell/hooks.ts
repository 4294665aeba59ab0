import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { type Address, addressProblems, readAddress, writeAddress } from '../model/address';

const MOVED = 'viewer:moved';

/** The page's address, what of it cannot be used, and a way to change it. The browser's Back works. */
export function useAddress(): { address: Address; problems: string[]; move: (next: Partial<Address>) => void } {
  const href = useSyncExternalStore(watchAddress, () => location.pathname + location.search);
  const address = useMemo(() => readAddress(location.pathname, location.search), [href]);
  const problems = useMemo(() => addressProblems(location.search), [href]);
  const move = useCallback((next: Partial<Address>) => {
    go(writeAddress({ ...readAddress(location.pathname, location.search), ...next }));
  }, []);
  return { address, problems, move };
}

/** Go to a path of this page without loading it anew. */
export function go(path: string): void {
  if (path === location.pathname + location.search) return; // or Back would seem to do nothing
  history.pushState(null, '', path);
  dispatchEvent(new Event(MOVED));
}

/** Go there in place of where we are: Back leads past it. */
export function replace(path: string): void {
  history.replaceState(null, '', path);
  dispatchEvent(new Event(MOVED));
}

function watchAddress(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(MOVED, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(MOVED, listener);
  };
}

/** Call every so many milliseconds while the page is seen, and when it is seen again; 0: never. */
export function useEvery(milliseconds: number, action: () => void): void {
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => {
    if (!milliseconds) return;
    const run = () => document.hidden || latest.current();
    const timer = setInterval(run, milliseconds);
    document.addEventListener('visibilitychange', run);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', run);
    };
  }, [milliseconds]);
}

/** An element's inner size in pixels, zero until it is laid out. */
export function useSize<T extends HTMLElement>() {
  const element = useRef<T>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const found = element.current;
    if (!found) return;
    const measure = () => setSize({ width: found.clientWidth, height: found.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(found);
    return () => observer.disconnect();
  }, []);
  return { element, ...size };
}
