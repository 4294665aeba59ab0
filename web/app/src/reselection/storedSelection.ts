/** What this tab's sender chose, so that the page can ask for the same files after it was loaded again. */

import type { SendItem } from '../types';
import { isRecord, parseObject } from '../protocol/wire';
import { keepInTab, tabStorage } from '../tabStorage';

const KEY = 'tallow.selection';

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

/** Keeps what was chosen, in place of an earlier selection. Without space for it, a reload ends the transfer. */
export function keepSelection(id: string, items: readonly SendItem[], keepsMetadata: boolean): void {
  const selection: StoredSelection = { id, items: items.map(toStored), keepsMetadata };
  if (!keepInTab(KEY, selection)) tabStorage()?.removeItem(KEY);
}

export function storedSelection(): StoredSelection | null {
  const found = parseObject(tabStorage()?.getItem(KEY) ?? '');
  if (found === null) return null;
  const { id, items, keepsMetadata } = found;
  const isValid = typeof id === 'string' && Array.isArray(items) && items.every(isStoredItem);
  return isValid ? { id, items, keepsMetadata: keepsMetadata === true } : null;
}

/** Removes a selection, unless another one has replaced it. */
export function forgetSelection(id: string): void {
  if (storedSelection()?.id === id) tabStorage()?.removeItem(KEY);
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
