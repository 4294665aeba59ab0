// The page's HTTP client: same-origin JSON requests, and whether Prometheus is reachable.

/** The viewer's own time limit for Prometheus is 30 s; after this limit the viewer itself does not answer. */
const TIMEOUT_MS = 45_000;
const PROMETHEUS = '/api/prometheus/';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  get unreachable(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 504;
  }
}

type Listener = () => void;
const listeners = new Set<Listener>();
let trouble: string | null = null;
let queries = 0;

/** The current connection error, shown for the whole page; null if there is none. */
export const reach = {
  now: () => trouble,
  subscribe(listener: Listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function setTrouble(found: string | null) {
  if (found === trouble) return;
  trouble = found;
  for (const listener of listeners) listener();
}

/** The number of pending queries of panels and variables. Alerts, which have their own interval, do not count. */
export const pendingQueries = () => queries;

/** Request JSON. If the session has ended, the browser goes to the login page, which returns here. */
export async function ask<T>(path: string, form?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const counted = path.startsWith(PROMETHEUS) && path !== `${PROMETHEUS}alerts` ? 1 : 0;
  queries += counted;
  try {
    return await exchange<T>(path, form, signal);
  } finally {
    queries -= counted;
  }
}

async function exchange<T>(path: string, form?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  const method = form ? 'POST' : 'GET';
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, { method, body: form, signal: either, credentials: 'same-origin' });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = limit.aborted ? `The viewer did not answer within ${TIMEOUT_MS / 1000} s` : 'The viewer is not reachable';
    setTrouble(message);
    throw new ApiError(0, message);
  }
  return contentOf<T>(path, response.status, text);
}

function contentOf<T>(path: string, status: number, text: string): T | Promise<T> {
  if (status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return new Promise<T>(() => undefined); // the browser leaves the page
  }
  const content = parse(text);
  const ofPrometheus = path.startsWith(PROMETHEUS);
  if (status < 200 || status > 299 || content === null) {
    const error = new ApiError(status, content?.error ?? `The viewer answered ${status}.`);
    if (ofPrometheus && error.unreachable) setTrouble(error.message);
    throw error;
  }
  if (ofPrometheus) setTrouble(null);
  return content as T;
}

function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
