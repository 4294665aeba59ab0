/**
 * Keeps received files in the origin-private file system until they are complete, verified and saved. Names
 * there are the engine's keys; a file gets its own name when the person's browser saves it.
 */
import type { FileWriter, IncomingFile, Sink } from '../types';
import { startModuleWorker } from '../moduleWorker';
import type { SavedFile } from './savedFiles';
import type { StorageAnswer, StorageMessage, StorageRequest } from './storageWorker';
import workerUrl from './storageWorker?worker&url';

const FOLDER = 'received';
const COMPLETE = '.complete';
const UNUSED_AFTER_MS = 24 * 3600 * 1000;
const SPARE_BYTES = 16 * 1024 * 1024;

/** Sends requests to the worker and matches its answers. */
class StorageWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { resolve: (value: number) => void; reject: (error: unknown) => void }
  >();
  #next = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.#worker.addEventListener('message', (event: MessageEvent<StorageAnswer>) => {
      const { id, value, error } = event.data;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new DOMException(error.message, error.name));
      else waiting?.resolve(value ?? 0);
    });
    this.#worker.addEventListener('error', () => {
      for (const { reject } of this.#waiting.values()) reject(new DOMException('no worker', 'UnknownError'));
      this.#waiting.clear();
    });
  }

  ask(request: StorageRequest): Promise<number> {
    const id = (this.#next += 1);
    const message: StorageMessage = { id, request };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(message, request.op === 'write' ? [request.chunk.buffer] : []);
    });
  }
}

let started: StorageWorker | null = null;

/** null where the worker cannot run. */
function startStorage(): StorageWorker | null {
  if (started === null) {
    const worker = startModuleWorker(workerUrl);
    started = worker && new StorageWorker(worker);
  }
  return started;
}

function storage(): StorageWorker {
  const worker = startStorage();
  if (worker === null) throw new DOMException('no worker', 'NotSupportedError');
  return worker;
}

/** A key as a file name: keys may hold anything. */
async function nameOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest).subarray(0, 16), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

async function folder(create: boolean): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create });
}

async function findFile(name: string): Promise<File | null> {
  try {
    return await (await (await folder(false)).getFileHandle(name)).getFile();
  } catch {
    return null;
  }
}

class StorageWriter implements FileWriter {
  constructor(
    readonly kept: Blob | null,
    readonly path: string,
    readonly onComplete: () => Promise<void>,
    readonly remove: () => Promise<void>,
  ) {}

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    const whole = chunk.byteLength === chunk.buffer.byteLength;
    await storage().ask({ op: 'write', path: this.path, chunk: whole ? chunk : chunk.slice() });
  }

  async commit(): Promise<void> {
    await this.suspend();
    await this.onComplete();
  }

  async discard(): Promise<void> {
    await this.suspend();
    await this.remove();
  }

  async suspend(): Promise<void> {
    await storage().ask({ op: 'close', path: this.path });
  }
}

export class StorageSink implements Sink {
  readonly saved: SavedFile[] = [];
  readonly folders: string[] = [];

  /** Whether this browser has the file system, a worker that writes into it, and space for `bytes`. */
  static async isPossible(bytes: number): Promise<boolean> {
    try {
      if (startStorage() === null) return false;
      await folder(true);
      const { quota = 0, usage = 0 } = await navigator.storage.estimate();
      return quota - usage > bytes + SPARE_BYTES;
    } catch {
      return false;
    }
  }

  async open(file: IncomingFile): Promise<FileWriter> {
    const name = await nameOf(file.key);
    const kept = await findFile(name);
    const useful = kept !== null && kept.size > 0 && kept.size <= file.size;
    if (kept !== null && !useful) await remove(name);
    const complete = async () => {
      // A file of no bytes was never opened.
      if (file.size === 0) await (await folder(true)).getFileHandle(name, { create: true });
      await (await folder(true)).getFileHandle(name + COMPLETE, { create: true });
      await this.#add(file, name);
    };
    return new StorageWriter(useful ? kept : null, `${FOLDER}/${name}`, complete, () => remove(name));
  }

  async makeFolder(path: string): Promise<void> {
    this.folders.push(path);
  }

  async isComplete(file: IncomingFile): Promise<boolean> {
    const name = await nameOf(file.key);
    const found = await findFile(name);
    if (!found || found.size !== file.size || !(await findFile(name + COMPLETE))) return false;
    await this.#add(file, name);
    return true;
  }

  async #add(file: IncomingFile, name: string): Promise<void> {
    const blob = await findFile(name);
    if (!blob) throw new DOMException('the file has gone', 'NotFoundError');
    const path = `${FOLDER}/${name}`;
    const crc32 = () => storage().ask({ op: 'crc32', path });
    this.saved.push({ path: file.path, blob, modified: file.modified, crc32 });
  }
}

async function remove(name: string): Promise<void> {
  const received = await folder(true);
  for (const entry of [name, name + COMPLETE]) await received.removeEntry(entry).catch(() => undefined);
}

/** Deletes what earlier pages left: everything that is older than a day, or all of it. */
export async function removeReceived(all = false): Promise<void> {
  try {
    const received = await folder(false);
    const entries = (
      received as unknown as { entries(): AsyncIterable<[string, FileSystemFileHandle]> }
    ).entries();
    for await (const [name, handle] of entries) {
      const { lastModified } = await handle.getFile();
      if (all || Date.now() - lastModified > UNUSED_AFTER_MS)
        await received.removeEntry(name).catch(() => undefined);
    }
  } catch {
    // no such folder: nothing was received
  }
}
