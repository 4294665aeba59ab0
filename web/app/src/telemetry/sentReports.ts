import { clear, entries, transact } from '../database';

/** A report as it was sent, and what the server answered: its status, or null without an answer. */
export interface SentReport {
  readonly at: number;
  readonly body: string;
  readonly status: number | null;
  readonly correlationId: string;
}

const KEPT = 50;

/** Keeps a report for the page that shows what was sent. Only the newest are kept. */
export async function keepReport(report: SentReport): Promise<void> {
  try {
    await transact('sent', 'readwrite', (store) => {
      store.add(report);
      const keys = store.getAllKeys();
      keys.onsuccess = () => keys.result.slice(0, -KEPT).forEach((key) => store.delete(key));
    });
  } catch {
    // without a database the list is empty
  }
}

/** The kept reports, the newest first. */
export async function listReports(): Promise<SentReport[]> {
  const found = await entries<SentReport>('sent').catch((): [IDBValidKey, SentReport][] => []);
  return found.map(([, report]) => report).reverse();
}

export const forgetReports = (): Promise<void> => clear('sent').catch(() => undefined);
