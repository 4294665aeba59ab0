import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { type Address, addressProblems, readAddress, writeAddress } from '../model/address';

const MOVED = 'viewer:moved';

/** The page's address, messages about unusable parameters, and a function to change it. Supports the Back button. */
export function useAddress(): { address: Address; problems: string[]; move: (next: Partial<Address>) => void } {
  const href = useSyncExternalStore(watchAddress, () => location.pathname + location.search);
  const address = useMemo(() => readAddress(location.pathname, location.search), [href]);
  const problems = useMemo(() => addressProblems(location.search), [href]);
  const move = useCallback((next: Partial<Address>) => {
    go(writeAddress({ ...readAddress(location.pathname, location.search), ...next }));
  }, []);
  return { address, problems, move };
}

/** Navigate to a path of this page without a reload. */
export function go(path: string): void {
  if (path === location.pathname + location.search) return; // otherwise Back would seem to do nothing
  history.pushState(null, '', path);
  dispatchEvent(new Event(MOVED));
}

/** Navigate and replace the current history entry. */
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

/** Call `action` at an interval while the page is visible, and when it becomes visible again; 0 means never. */
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

/** An element's inner size in pixels; zero before layout. */
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
