// Every request of the page: same origin, JSON, and one place that knows whether Prometheus answers.

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

/** Why no data comes at present, for the whole page; null while it does. */
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

/** Ask for JSON. A session that has ended leads to the login page and back. */
export async function ask<T>(path: string, form?: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const response = await send(path, form, signal);
  if (response.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return new Promise<T>(() => undefined); // the page is being left
  }
  const content = await response.json().catch(() => null);
  if (!response.ok || content === null) {
    const error = new ApiError(response.status, content?.error ?? `The viewer answered ${response.status}.`);
    if (path.startsWith('/api/prometheus/') && error.unreachable) setTrouble(error.message);
    throw error;
  }
  if (path.startsWith('/api/prometheus/')) setTrouble(null);
  return content as T;
}

async function send(path: string, form?: URLSearchParams, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, { method: form ? 'POST' : 'GET', body: form, signal, credentials: 'same-origin' });
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = 'The viewer is not reachable';
    setTrouble(message);
    throw new ApiError(0, message);
  }
}
