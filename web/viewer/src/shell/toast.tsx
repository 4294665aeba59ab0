import { useSyncExternalStore } from 'react';

const SHOWN_MS = 4000;
const listeners = new Set<() => void>();
let message = '';
let timer = 0;

/** Show a message for a few seconds. */
export function notify(text: string): void {
  clearTimeout(timer);
  set(text);
  timer = window.setTimeout(() => set(''), SHOWN_MS);
}

function set(text: string) {
  message = text;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Displays the messages of {@link notify}; screen readers announce them. */
export function Toast() {
  const text = useSyncExternalStore(subscribe, () => message);
  return <p role="status" className={text ? 'toast' : 'hidden'}>{text}</p>;
}
