/**
 * What the page cannot do without. Features are detected, never browsers. Everything else (workers, the file system,
 * WebRTC, the service worker) has a substitute.
 */

interface Scope {
  readonly crypto?: { readonly subtle?: unknown };
  readonly WebSocket?: unknown;
  readonly fetch?: unknown;
  readonly structuredClone?: unknown;
  readonly Blob?: { readonly prototype: { readonly arrayBuffer?: unknown; readonly stream?: unknown } };
}

/** The names of the features that are missing. WebCrypto exists in secure contexts only. */
export function missingFeatures(scope: Scope = globalThis): string[] {
  const blob = scope.Blob?.prototype;
  const found: Readonly<Record<string, unknown>> = {
    'crypto.subtle': scope.crypto?.subtle,
    WebSocket: scope.WebSocket,
    fetch: scope.fetch,
    structuredClone: scope.structuredClone,
    'Blob.arrayBuffer': blob?.arrayBuffer,
    'Blob.stream': blob?.stream,
  };
  return Object.keys(found).filter((name) => found[name] === undefined);
}
