/**
 * Facts that happen outside a transfer: settings, service worker, installation, notifications. The server
 * accepts reports of peers in a room only, so that they wait on the device for the next transfer.
 */
import { clear, entries, transact } from '../database';
import { factKey, type CounterRow, type Metrics } from './rows';

/** Bound of each count: a device that never transfers collects no more. */
const MAX_COUNT = 100;
/** What the server takes from one peer of a room; the rest waits for the next transfer. */
const MAX_PER_REPORT: Readonly<Record<string, number>> = {
  feature_usage_total: 15,
  settings_changes_total: 10,
  pwa_installs_total: 1,
  notifications_sent_total: 20,
};

type Labels = Readonly<Record<string, string>>;

/** Adds to a count, in one transaction: page and service worker may count at the same time. */
export async function addPending(metric: string, labels: Labels, amount = 1): Promise<void> {
  try {
    await transact('pending', 'readwrite', (store) => {
      const key = factKey(metric, labels);
      const request = store.get(key) as IDBRequest<number | undefined>;
      request.onsuccess = () => store.put(Math.min(MAX_COUNT, (request.result ?? 0) + amount), key);
    });
  } catch {
    // a browser without a database reports less
  }
}

/** Takes what waits, up to what one report may hold. */
export async function takePending(): Promise<Metrics> {
  const metrics: Metrics = {};
  const room: Record<string, number> = { ...MAX_PER_REPORT };
  await transact('pending', 'readwrite', (store) => {
    store.openCursor().onsuccess = (event) => {
      const cursor = (event.target as IDBRequest<IDBCursorWithValue | null>).result;
      if (!cursor) return;
      const [metric, labels] = JSON.parse(String(cursor.key)) as [string, [string, string][]];
      const count = cursor.value as number;
      const taken = Math.min(count, room[metric] ?? count);
      if (metric in room) room[metric] = (room[metric] ?? 0) - taken;
      if (taken > 0) (metrics[metric] ??= []).push({ labels: Object.fromEntries(labels), value: taken });
      if (taken === count) cursor.delete();
      else cursor.update(count - taken);
      cursor.continue();
    };
  }).catch(() => undefined);
  return metrics;
}

/** Puts back what could not be reported. */
export async function returnPending(metrics: Metrics): Promise<void> {
  for (const [metric, rows] of Object.entries(metrics))
    for (const row of rows) if ('value' in row) await addPending(metric, row.labels, row.value);
}

/** What waits, for the person to see. */
export async function listPending(): Promise<Metrics> {
  const metrics: Metrics = {};
  for (const [key, value] of await entries<number>('pending').catch(() => [])) {
    const [metric, labels] = JSON.parse(String(key)) as [string, [string, string][]];
    const row: CounterRow = { labels: Object.fromEntries(labels), value };
    (metrics[metric] ??= []).push(row);
  }
  return metrics;
}

export const forgetPending = (): Promise<void> => clear('pending').catch(() => undefined);
