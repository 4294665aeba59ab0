/** What a person chose or dropped, as items to send. */
import type { SendItem } from '../types';

/** Files of an `<input type="file">`, also one that chooses a folder. */
export function itemsOfInput(files: FileList | null): SendItem[] {
  return Array.from(files ?? [], (file) => ({
    kind: 'file',
    file,
    path: file.webkitRelativePath || file.name,
  }));
}

/**
 * Files that the person chooses, with handles; null in a browser that gives none. It must be called from a click. Empty
 * if the person chose nothing.
 */
export async function openFiles(): Promise<SendItem[] | null> {
  const { showOpenFilePicker } = globalThis as FilePickers;
  if (!showOpenFilePicker) return null;
  try {
    return await Promise.all((await showOpenFilePicker({ multiple: true })).map(itemOfHandle));
  } catch (error) {
    return (error as Error).name === 'AbortError' ? [] : null;
  }
}

interface FilePickers {
  showOpenFilePicker?(options: { multiple: true }): Promise<FileSystemFileHandle[]>;
}

async function itemOfHandle(handle: FileSystemFileHandle): Promise<SendItem> {
  const file = await handle.getFile();
  return { kind: 'file', file, path: file.name, handle };
}

type DroppedItem = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

/** Files and folders of a drop or a paste. Entries must be taken before the event ends, files may follow. */
export async function itemsOfTransfer(transfer: DataTransfer): Promise<SendItem[]> {
  const dropped = Array.from(transfer.items, (item: DroppedItem) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    return entry && { entry, handle: item.getAsFileSystemHandle?.().catch(() => null) };
  });
  const files = Array.from(transfer.files);
  const text = transfer.getData('text/plain');
  const found = dropped.filter((item) => item !== null);
  const items =
    found.length > 0
      ? (await Promise.all(found.map(async (item) => itemsOfEntry(item.entry, await item.handle)))).flat()
      : files.map(fileItem);
  return items.length > 0 || !text ? items : [{ kind: 'text', text }];
}

const fileItem = (file: File): SendItem => ({ kind: 'file', file, path: file.name });

/** `handle`: of the dropped file, or of the dropped folder above the entry. */
async function itemsOfEntry(
  entry: FileSystemEntry,
  handle: FileSystemHandle | null | undefined,
): Promise<SendItem[]> {
  const path = entry.fullPath.replace(/^\/+/, '');
  if (entry.isFile) {
    const file = await fileOf(entry as FileSystemFileEntry);
    return [{ kind: 'file', file, path, ...(handle ? { handle } : {}) }];
  }
  const items: SendItem[] = [{ kind: 'folder', path }];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return items;
    for (const inside of batch) items.push(...(await itemsOfEntry(inside, handle)));
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** Adds items; a text stands alone, and what has the same path replaces the earlier one. */
export function addItems(chosen: readonly SendItem[], added: readonly SendItem[]): SendItem[] {
  const text = added.find((item) => item.kind === 'text');
  if (text) return [text];
  const all = new Map<string, SendItem>();
  for (const item of [...chosen, ...added]) if (item.kind !== 'text') all.set(item.path, item);
  return [...all.values()];
}

export const totalSize = (items: readonly SendItem[]): number =>
  items.reduce((total, item) => total + sizeOf(item), 0);

export function sizeOf(item: SendItem): number {
  if (item.kind === 'file') return item.file.size;
  return item.kind === 'text' ? new TextEncoder().encode(item.text).length : 0;
}

/** Formats with metadata that is not removed, by what the browser or the name says they are. */
const KEEPS_METADATA = /^(image\/(?!jpeg|png|webp|svg)|video\/|audio\/|application\/(pdf|msword|vnd\.))/;
const KEEPS_METADATA_NAME = /\.(arw|avif|cr2|cr3|dng|docx|heic|heif|jxl|nef|odt|pdf|pptx|xlsx)$/i;

/** Whether the sender should know that a file is sent with its place, camera or author. */
export const keepsMetadata = (item: SendItem): boolean =>
  item.kind === 'file' && (KEEPS_METADATA.test(item.file.type) || KEEPS_METADATA_NAME.test(item.file.name));
