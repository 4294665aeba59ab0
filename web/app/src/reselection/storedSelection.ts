/** What this tab's sender chose, so that the page can ask for the same files after it was loaded again. */

import type { SendItem } from '../types';
import { transact } from '../database';
import { isRecord, parseObject } from '../protocol/wire';
import { keepInTab, tabStorage } from '../tabStorage';

const KEY = 'tallow.selection';
/** Characters that stay free for the state of the transfer, without which a reload could not even end it. */
const STATE_SPACE = 4096;
const UNUSED_AFTER_MS = 24 * 3600 * 1000;

export interface StoredFile {
  readonly kind: 'file';
  readonly path: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

export type StoredItem =
  | StoredFile
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string };

export interface StoredSelection {
  /** Random; also the key of the files' handles (`keptHandles.ts`). */
  readonly id: string;
  /** In the order in which they were sent, before metadata was removed. */
  readonly items: readonly StoredItem[];
  /** Whether pictures were sent with their metadata. */
  readonly keepsMetadata: boolean;
}

/** What the session storage has of a selection in the database. */
interface Reference {
  readonly id: string;
  /** Milliseconds since the epoch; the first part of its key. */
  readonly keptAt: number;
}

/**
 * Keeps what was chosen, in place of an earlier selection: in the session storage, or in the database if there is no
 * space. A text stays out of the database, because that is on the disk when the tab is closed.
 */
export async function keepSelection(
  id: string,
  items: readonly SendItem[],
  keepsMetadata: boolean,
): Promise<void> {
  const selection: StoredSelection = { id, items: items.map(toStored), keepsMetadata };
  const text = JSON.stringify(selection);
  const before = inTab();
  tabStorage()?.removeItem(KEY);
  if (isReference(before)) void remove((store) => store.delete(keyOf(before)));
  if (keepInTab(KEY, text, STATE_SPACE)) return;
  const reference: Reference = { id, keptAt: Date.now() };
  keepInTab(KEY, JSON.stringify(reference));
  if (items.some(({ kind }) => kind === 'text')) return;
  // Without a database, a page that was loaded again finds nothing, and ends the transfer.
  await transact('selections', 'readwrite', (store) => store.put(text, keyOf(reference))).catch(
    () => undefined,
  );
}

/** The id of this tab's selection, also of one that is lost. */
export function selectionId(): string | null {
  const id = inTab()?.['id'];
  return typeof id === 'string' ? id : null;
}

/** This tab's selection; null if there is none, or if it is lost. */
export async function storedSelection(): Promise<StoredSelection | null> {
  const kept = inTab();
  const found = isReference(kept) ? parseObject((await fromDatabase(kept)) ?? '') : kept;
  if (found === null) return null;
  const { id, items, keepsMetadata } = found;
  const isValid = typeof id === 'string' && Array.isArray(items) && items.every(isStoredItem);
  return isValid ? { id, items, keepsMetadata: keepsMetadata === true } : null;
}

/** Removes a selection, unless another one has replaced it. */
export async function forgetSelection(id: string): Promise<void> {
  const kept = inTab();
  if (kept?.['id'] !== id) return;
  tabStorage()?.removeItem(KEY);
  if (isReference(kept)) await remove((store) => store.delete(keyOf(kept)));
}

/** Removes the selections of tabs that were closed a day ago. */
export async function forgetOldSelections(): Promise<void> {
  await remove((store) => store.delete(IDBKeyRange.upperBound([Date.now() - UNUSED_AFTER_MS])));
}

const inTab = (): Record<string, unknown> | null => parseObject(tabStorage()?.getItem(KEY) ?? '');

const isReference = (kept: unknown): kept is Reference =>
  isRecord(kept) && typeof kept['id'] === 'string' && typeof kept['keptAt'] === 'number';

/** The time comes first, so that one range has all that are old. */
const keyOf = ({ id, keptAt }: Reference): IDBValidKey => [keptAt, id];

async function fromDatabase(kept: Reference): Promise<string | undefined> {
  return transact<string>('selections', 'readonly', (store, done) => {
    const getting = store.get(keyOf(kept));
    getting.onsuccess = () => done(getting.result as string);
  }).catch(() => undefined);
}

async function remove(removing: (store: IDBObjectStore) => void): Promise<void> {
  await transact('selections', 'readwrite', removing).catch(() => undefined);
}

function toStored(item: SendItem): StoredItem {
  if (item.kind !== 'file') return item;
  return { kind: 'file', path: item.path, size: item.file.size, modified: item.file.lastModified };
}

function isStoredItem(item: unknown): item is StoredItem {
  if (!isRecord(item)) return false;
  const { kind, path, text, size, modified } = item;
  if (kind === 'text') return typeof text === 'string';
  if (typeof path !== 'string') return false;
  return kind === 'folder' || (kind === 'file' && typeof size === 'number' && typeof modified === 'number');
}
