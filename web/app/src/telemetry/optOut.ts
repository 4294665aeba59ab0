import { settings } from '../settings/settings';

interface PrivacySignals {
  readonly doNotTrack?: string | null;
  readonly globalPrivacyControl?: boolean;
}

/** Whether the browser asks sites not to track: `DNT: 1` or `Sec-GPC: 1`. */
export function browserOptsOut(signals: PrivacySignals = navigator as PrivacySignals): boolean {
  return signals.doNotTrack === '1' || signals.globalPrivacyControl === true;
}

let headersOptOut: Promise<boolean> | undefined;

/**
 * Whether requests carry the headers although scripts do not see the wish, as with an extension or a proxy.
 * The server says what it saw. If it cannot be asked, nothing is reported.
 */
export function requestsOptOut(): Promise<boolean> {
  headersOptOut ??= fetch('/api/info', { cache: 'no-store' })
    .then(async (answer) => ((await answer.json()) as { do_not_track?: boolean }).do_not_track !== false)
    .catch(() => {
      headersOptOut = undefined;
      return true;
    });
  return headersOptOut;
}

/** Whether counts may be collected on this device. */
export const mayCollect = (): boolean => settings().telemetry === 'on' && !browserOptsOut();
