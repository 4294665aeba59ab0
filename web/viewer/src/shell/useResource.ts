import { useEffect, useState } from 'react';

export type Load<T> = (signal: AbortSignal) => Promise<T>;

export interface Resource<T> {
  /** The newest value. It stays while the next one loads, and when that fails. */
  value?: T;
  error?: Error;
  loading: boolean;
}

/**
 * Loads something whenever `load` is another function; undefined loads nothing.
 *
 * The load before is aborted, and its outcome is dropped even where it was on its way already: a late answer
 * must not take the place of a newer one.
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
