/**
 * How a page streams a download through its service worker. The page sends `download` with a port; the worker
 * answers requests for the address with a stream that asks the port for each piece. The response has the
 * file's length, so that the browser never takes a part for the whole.
 */

export const DOWNLOAD_PREFIX = '/download/';
/** The worker ends a download whose page has been silent for this long. */
export const SILENCE_LIMIT_MS = 120_000;
/** Messages at this interval keep the worker alive: browsers end one after 30 seconds without an event. */
export const KEEP_ALIVE_MS = 5_000;

/** From the page to the worker. */
export type WorkerMessage =
  | { readonly type: 'download'; readonly id: string; readonly name: string; readonly size: number }
  | { readonly type: 'keep-alive'; readonly id: string }
  | { readonly type: 'skip-waiting' };

/** From the page through the port. `end` follows the verification of the whole file. */
export type PageToPort =
  | { readonly type: 'chunk'; readonly chunk: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end' }
  | { readonly type: 'abort' };

/** From the worker through the port. */
export type PortToPage =
  | { readonly type: 'ready' }
  | { readonly type: 'started' }
  | { readonly type: 'pull' }
  | { readonly type: 'cancelled' }
  | { readonly type: 'pong' };
