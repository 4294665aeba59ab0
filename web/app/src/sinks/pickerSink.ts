/**
 * Writes straight into a file or folder that the person chose (File System Access API). The browser writes
 * into a temporary file beside it, whose content becomes visible with `close()` only.
 */
import type { FileWriter, IncomingFile, Sink } from '../types';

/** Members that not all browsers, and not all type definitions, have. */
interface MovableHandle extends FileSystemFileHandle {
  move?(name: string): Promise<void>;
  remove?(): Promise<void>;
}
interface Pickers {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
  showDirectoryPicker?(options: { mode: 'readwrite'; id: string }): Promise<FileSystemDirectoryHandle>;
}

const pickers = globalThis as Pickers;
const PARTIAL_SUFFIX = '.tallow-part';
const MAX_ALTERNATIVES = 1000;

export const canPickFile = (): boolean => typeof pickers.showSaveFilePicker === 'function';
export const canPickFolder = (): boolean => typeof pickers.showDirectoryPicker === 'function';

/** Asks the person for a place. Returns null if they chose none. It must be called from a click. */
export async function pickSink(fileName: string | null): Promise<Sink | null> {
  try {
    if (fileName !== null && pickers.showSaveFilePicker)
      return new FileSink(await pickers.showSaveFilePicker({ suggestedName: fileName }));
    if (pickers.showDirectoryPicker)
      return new FolderSink(await pickers.showDirectoryPicker({ mode: 'readwrite', id: 'tallow' }));
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
  return null;
}

class HandleWriter implements FileWriter {
  readonly kept = null;
  constructor(
    readonly writable: FileSystemWritableFileStream,
    readonly onCommit: () => Promise<void>,
    readonly onDiscard: () => Promise<void>,
  ) {}

  write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.writable.write(chunk);
  }
  async commit(): Promise<void> {
    await this.writable.close();
    await this.onCommit();
  }
  async discard(): Promise<void> {
    await this.writable.abort().catch(() => undefined);
    await this.onDiscard();
  }
  /** The browser drops a temporary file that was not closed: such a file starts again. */
  suspend(): Promise<void> {
    return this.discard();
  }
}

/** One file at the place that the person named. */
class FileSink implements Sink {
  constructor(readonly handle: MovableHandle) {}

  async open(): Promise<FileWriter> {
    const remove = async () => {
      await this.handle.remove?.().catch(() => undefined); // the empty file that the picker made
    };
    return new HandleWriter(await this.handle.createWritable(), async () => undefined, remove);
  }
  async makeFolder(): Promise<void> {}
  async isComplete(): Promise<boolean> {
    return false;
  }
}

/** Files and folders below a chosen folder. What is there already keeps its name. */
class FolderSink implements Sink {
  constructor(readonly root: FileSystemDirectoryHandle) {}

  async open(file: IncomingFile): Promise<FileWriter> {
    const parts = file.path.split('/');
    const name = parts.pop() as string;
    const folder = await this.#folder(parts);
    const partialName = await freeName(folder, name + PARTIAL_SUFFIX);
    const partial: MovableHandle = await folder.getFileHandle(partialName, { create: true });
    const remove = () => folder.removeEntry(partialName).catch(() => undefined);
    const finish = async () => giveName(folder, partial, await freeName(folder, name), remove);
    return new HandleWriter(await partial.createWritable(), finish, remove);
  }

  async makeFolder(path: string): Promise<void> {
    await this.#folder(path.split('/'));
  }

  async isComplete(): Promise<boolean> {
    return false;
  }

  async #folder(parts: readonly string[]): Promise<FileSystemDirectoryHandle> {
    let found = this.root;
    for (const part of parts) found = await found.getDirectoryHandle(part, { create: true });
    return found;
  }
}

/** Gives a complete file its name; where a browser cannot rename, by a copy that appears when it is complete. */
async function giveName(
  folder: FileSystemDirectoryHandle,
  partial: MovableHandle,
  name: string,
  remove: () => Promise<void>,
): Promise<void> {
  if (partial.move) {
    try {
      await partial.move(name);
      return;
    } catch {
      // moves outside of the origin-private file system may be refused
    }
  }
  const target = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await (await partial.getFile()).stream().pipeTo(target);
  await remove();
}

/** The name, or `name (2).txt` and so on if it is taken. */
async function freeName(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  const dot = name.lastIndexOf('.');
  const [stem, suffix] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let count = 1; count < MAX_ALTERNATIVES; count += 1) {
    const wanted = count === 1 ? name : `${stem} (${count})${suffix}`;
    if (!(await exists(folder, wanted))) return wanted;
  }
  throw new DOMException('too many files have this name', 'InvalidModificationError');
}

async function exists(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  for (const find of [folder.getFileHandle(name), folder.getDirectoryHandle(name)])
    if (await find.then(() => true).catch(() => false)) return true;
  return false;
}
