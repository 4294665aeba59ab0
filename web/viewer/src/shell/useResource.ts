import { useEffect, useState } from 'react';

export type Load<T> = (signal: AbortSignal) => Promise<T>;

export interface Resource<T> {
  /** The latest value. It is kept while the next one loads, and if that load fails. */
  value?: T;
  error?: Error;
  loading: boolean;
}

/**
 * Runs `load` whenever the function changes; undefined loads nothing.
 *
 * The previous load is aborted and its result is discarded, even if it arrives later: a late response must not
 * replace a newer one.
 */
export function useResource<T>(load: Load<T> | undefined): Resource<T> {
  const [settled, setSettled] = useState<{ load?: Load<T>; value?: T; error?: Error }>({});
  useEffect(() => {
    if (!load) return;
    const controller = new AbortController();
    load(controller.signal).then(
      (value) => controller.signal.aborted || setSettled({ load, value }),
      (error: Error) => controller.signal.aborted || setSettled((old) => ({ load, value: old.value, error })),
    );
    return () => controller.abort();
  }, [load]);
  return { value: settled.value, error: settled.error, loading: load !== undefined && settled.load !== load };
}
