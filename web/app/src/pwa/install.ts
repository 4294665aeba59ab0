/** Installing the page as an app. */
import { count } from '../telemetry/usage';

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}
interface PlatformHints {
  readonly userAgentData?: { readonly platform: string };
  readonly standalone?: boolean;
}

let waiting: InstallPrompt | null = null;
const changes = new EventTarget();

export const canInstall = (): boolean => waiting !== null;
export const isInstalled = (): boolean => matchMedia('(display-mode: standalone)').matches;

export function onInstallChange(listener: () => void): () => void {
  changes.addEventListener('change', listener);
  return () => changes.removeEventListener('change', listener);
}

/** Watches for the browser's offer and for an installation, which is counted. */
export function watchInstallation(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault(); // the settings show the offer
    waiting = event as InstallPrompt;
    changes.dispatchEvent(new Event('change'));
  });
  addEventListener('appinstalled', () => {
    waiting = null;
    changes.dispatchEvent(new Event('change'));
    void count('pwa_installs_total', { platform: platform() });
  });
}

export async function install(): Promise<void> {
  await waiting?.prompt();
  waiting = null;
  changes.dispatchEvent(new Event('change'));
}

/** The kind of device, from what the browser offers as such. */
export function platform(hints: PlatformHints = navigator as PlatformHints): string {
  const named = hints.userAgentData?.platform ?? '';
  if (named === 'Android') return 'android';
  if (['Windows', 'macOS', 'Linux', 'Chrome OS', 'ChromeOS'].includes(named)) return 'desktop';
  if (typeof hints.standalone === 'boolean' && matchMedia('(pointer: coarse)').matches) return 'ios';
  return matchMedia('(pointer: fine)').matches ? 'desktop' : 'other';
}
