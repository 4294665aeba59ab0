/**
 * Handles of the files that a tab sends (File System Access API), so that a page that was loaded again can open the same
 * files when the person allows it. They are in the database, because only it keeps handles, and are removed when the
 * transfer ends, or after a day.
 */

import { entries, transact } from '../database';
import type { SendItem } from '../types';
import type { StoredFile } from './storedSelection';

/** The browser asks for each handle: more questions than this are a burden. */
const MAX_HANDLES = 20;
const UNUSED_AFTER_MS = 24 * 3600 * 1000;

type Permission = 'granted' | 'denied' | 'prompt';

/** Members that not all browsers, and not all type definitions, have. */
type AskingHandle = FileSystemHandle & {
  queryPermission?(mode: { mode: 'read' }): Promise<Permission>;
  requestPermission?(mode: { mode: 'read' }): Promise<Permission>;
};

interface KeptHandle {
  /** Path of the item, or of the folder above the items. */
  readonly root: string;
  readonly handle: FileSystemHandle;
}

interface KeptHandles {
  readonly savedAt: number;
  readonly handles: readonly KeptHandle[];
}

/** Keeps the handles of items under the id of their selection; nothing if an item has none, or there are too many. */
export async function keepHandles(id: string, items: readonly SendItem[]): Promise<void> {
  const kept = new Map<string, KeptHandle>();
  for (const item of items) {
    if (item.kind !== 'file') continue;
    if (!item.handle) return;
    const root = item.handle.kind === 'directory' ? item.path.split('/')[0]! : item.path;
    kept.set(root, { root, handle: item.handle });
  }
  if (kept.size === 0 || kept.size > MAX_HANDLES) return;
  const value: KeptHandles = { savedAt: Date.now(), handles: [...kept.values()] };
  // Without a database, or with handles that it cannot keep, the person chooses the files again.
  await transact('handles', 'readwrite', (store) => store.put(value, id)).catch(() => undefined);
}

/** The handles of a selection, with the files behind them. */
export class RestoredHandles {
  private constructor(private readonly handles: readonly KeptHandle[]) {}

  /** null if nothing is kept. */
  static async load(id: string): Promise<RestoredHandles | null> {
    const found = await entries<KeptHandles>('handles').catch((): [IDBValidKey, KeptHandles][] => []);
    const kept = found.find(([name]) => name === id)?.[1];
    return kept ? new RestoredHandles(kept.handles) : null;
  }

  /** Whether all files may be read; with `ask`, the browser asks the person, who must just have clicked. */
  async mayRead(ask: boolean): Promise<boolean> {
    // Together: a question to the person uses up the click.
    const answers = await Promise.all(this.handles.map(({ handle }) => permissionOf(handle, ask)));
    return answers.every((answer) => answer === 'granted');
  }

  /** The files that are still there. */
  async open(wanted: readonly StoredFile[]): Promise<SendItem[]> {
    const found = await Promise.all(wanted.map((file) => this.openFile(file)));
    return found.filter((item) => item !== null);
  }

  private async openFile({ path }: StoredFile): Promise<SendItem | null> {
    const kept = this.handles.find(({ root }) => path === root || path.startsWith(`${root}/`));
    if (!kept) return null;
    try {
      const file = await fileAt(kept.handle, path.slice(kept.root.length).split('/').slice(1));
      return { kind: 'file', file, path, handle: kept.handle };
    } catch {
      return null; // moved, removed, or not readable any more
    }
  }
}

async function fileAt(handle: FileSystemHandle, names: readonly string[]): Promise<File> {
  if (handle.kind === 'file') return (handle as FileSystemFileHandle).getFile();
  let folder = handle as FileSystemDirectoryHandle;
  for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
  return (await folder.getFileHandle(names.at(-1)!)).getFile();
}

async function permissionOf(handle: AskingHandle, ask: boolean): Promise<Permission> {
  const mode = { mode: 'read' } as const;
  const answering = ask ? handle.requestPermission?.(mode) : handle.queryPermission?.(mode);
  return (await answering?.catch((): Permission => 'denied')) ?? 'denied';
}

/** Removes the handles of a selection, and those of transfers that nobody continued. */
export async function forgetHandles(id: string): Promise<void> {
  const found = await entries<KeptHandles>('handles').catch((): [IDBValidKey, KeptHandles][] => []);
  const old = found.filter(([name, { savedAt }]) => name === id || Date.now() - savedAt > UNUSED_AFTER_MS);
  for (const [name] of old)
    await transact('handles', 'readwrite', (store) => store.delete(name)).catch(() => undefined);
}
