/** Creates the worker: the only place where the page makes the address of a script. */

import workerUrl from './worker?worker&url';

/** The part of Trusted Types that is used here; the DOM types lack it. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): PolicyLike;
}
interface PolicyLike {
  createScriptURL(url: string): unknown;
}

let policy: PolicyLike | null = null;

/**
 * A script address as Trusted Types want it. The content security policy allows one policy, `tallow`, which
 * knows the scripts of this page: the worker and the service worker.
 */
export function scriptUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('tallow', { createScriptURL: allowOwn }) ?? {
    createScriptURL: allowOwn,
  };
  return policy.createScriptURL(url) as string;
}

function allowOwn(url: string): string {
  if (url !== workerUrl && url !== '/sw.js') throw new TypeError('not a script of this page');
  return url;
}

/** null where there are no workers. */
export function createWorker(): Worker | null {
  return typeof Worker === 'function' ? new Worker(scriptUrl(workerUrl), { type: 'module' }) : null;
}
