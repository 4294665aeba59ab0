/** Registers the service worker and tells when a new version waits. */
import { mayCollect } from '../telemetry/optOut';
import { scriptUrl } from '../trustedTypes';
import type { WorkerMessage } from './downloadProtocol';
import { COUNTING_CACHE } from './names';

const UPDATE_CHECK_MS = 3600 * 1000;

/**
 * Registers the worker.
 *
 * @param onUpdate is called with a function that activates the new version and reloads the page. The person
 *   decides when: a reload would interrupt a transfer.
 */
export async function registerServiceWorker(onUpdate: (activate: () => void) => void): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  await tellCounting();
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl('/sw.js'), {
      updateViaCache: 'none',
    });
    const offer = () => {
      // The first worker waits for a moment, too, and WebKit may already name it as the page's controller.
      const { active, waiting } = registration;
      if (waiting && active) onUpdate(() => activate(waiting));
    };
    offer();
    registration.addEventListener('updatefound', () => {
      const { installing } = registration;
      installing?.addEventListener('statechange', offer);
    });
    setInterval(() => void registration.update().catch(() => undefined), UPDATE_CHECK_MS);
  } catch {
    // private windows and policies may forbid it: the page works without
  }
}

function activate(waiting: ServiceWorker): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  const message: WorkerMessage = { type: 'skip-waiting' };
  waiting.postMessage(message);
}

/** Tells the service worker whether it may count: it cannot read the page's settings. */
export async function tellCounting(): Promise<void> {
  try {
    if (mayCollect()) await caches.open(COUNTING_CACHE);
    else await caches.delete(COUNTING_CACHE);
  } catch {
    // no cache storage: no service worker either
  }
}
