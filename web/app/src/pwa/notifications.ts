/** Notifications for a person who looks at something else. Each one that was due is counted. */
import { texts } from '../i18n';
import { settings } from '../settings/settings';
import { count } from '../telemetry/usage';

export type NotificationType = 'transfer_request' | 'transfer_complete' | 'connection' | 'other';
type Wording = 'request' | 'joined' | 'complete' | 'failed';

const WORDS = texts.notification;
const TITLES: Readonly<Record<Wording, readonly [string, string]>> = {
  request: [WORDS.requestTitle, WORDS.requestBody],
  joined: [WORDS.joinedTitle, WORDS.joinedBody],
  complete: [WORDS.completeTitle, WORDS.completeBody],
  failed: [WORDS.failedTitle, WORDS.failedBody],
};

export const canNotify = (): boolean => 'Notification' in globalThis;

/** Asks the browser for the permission. Returns whether notifications can be shown. */
export async function askPermission(): Promise<boolean> {
  return canNotify() && (await Notification.requestPermission()) === 'granted';
}

/**
 * Shows a notification if the person wants them and does not look at the page. It names no file. Whether it
 * could be shown is counted.
 */
export async function notify(type: NotificationType, wording: Wording): Promise<void> {
  if (settings().notifications !== 'on' || document.visibilityState === 'visible') return;
  await count('notifications_sent_total', { type, status: await show(wording) });
}

async function show(wording: Wording): Promise<'sent' | 'denied' | 'failed'> {
  if (!canNotify() || Notification.permission !== 'granted') return 'denied';
  const [title, body] = TITLES[wording];
  const options = { body, icon: '/icons/icon-192.png', tag: 'tallow' };
  try {
    const registration = await navigator.serviceWorker?.getRegistration();
    if (registration) await registration.showNotification(title, options);
    else new Notification(title, options);
    return 'sent';
  } catch {
    return 'failed';
  }
}
