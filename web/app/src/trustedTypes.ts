/**
 * The page's only Trusted Types policy. The server's Content-Security-Policy names it; without it, scripts and
 * workers cannot be started from text. It accepts files of this origin.
 */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): {
    createScriptURL(url: string): string;
  };
}

const POLICY_NAME = 'tallow';

function ownUrl(url: string): string {
  const found = new URL(url, location.origin);
  if (found.origin !== location.origin) throw new TypeError('scripts come from this server only');
  return found.pathname;
}

const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
const policy = types?.createPolicy(POLICY_NAME, { createScriptURL: ownUrl });

/** A script's URL for `new Worker` and `serviceWorker.register`. */
export const scriptUrl = (url: string): string => policy?.createScriptURL(url) ?? ownUrl(url);
