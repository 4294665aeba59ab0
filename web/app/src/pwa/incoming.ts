/** Files that come from outside of the page: shared from another app, or opened with Tallow. */
import { clear, entries } from '../database';
import type { SendItem } from '../types';
import { SHARED_MARKER } from './names';

interface LaunchQueue {
  setConsumer(consumer: (launch: { readonly files?: readonly FileSystemFileHandle[] }) => void): void;
}

const asItem = (file: File) => ({ kind: 'file', file, path: file.name }) as const;

/** What the service worker kept of a share, once. null: the page was not opened by one. */
export async function takeShared(search: string): Promise<SendItem[] | null> {
  if (search !== SHARED_MARKER) return null;
  const found = await entries<File | string>('shared').catch((): [IDBValidKey, File | string][] => []);
  await clear('shared').catch(() => undefined);
  return found.map(([, value]) =>
    typeof value === 'string' ? { kind: 'text', text: value } : asItem(value),
  );
}

const opened = async (handle: FileSystemFileHandle): Promise<SendItem> => ({
  ...asItem(await handle.getFile()),
  handle,
});

/** Calls `onFiles` with files that the person opened with Tallow. */
export function watchLaunches(onFiles: (items: SendItem[]) => void): void {
  const { launchQueue } = globalThis as { launchQueue?: LaunchQueue };
  launchQueue?.setConsumer(async ({ files = [] }) => {
    if (files.length > 0) onFiles(await Promise.all(files.map(opened)));
  });
}
