/**
 * Writes into the origin-private file system, where only a worker can write in place: what was written
 * survives the end of the page. One request at a time for each file; the page waits for each answer.
 */
import { crc32 } from './crc32';

export type StorageRequest =
  | { readonly op: 'write'; readonly path: string; readonly chunk: Uint8Array<ArrayBuffer> }
  | { readonly op: 'close'; readonly path: string }
  | { readonly op: 'crc32'; readonly path: string };

export interface StorageMessage {
  readonly id: number;
  readonly request: StorageRequest;
}
export interface StorageAnswer {
  readonly id: number;
  readonly value?: number;
  readonly error?: { readonly name: string; readonly message: string };
}

interface OpenFile {
  readonly handle: FileSystemSyncAccessHandle;
  size: number;
}

/** Files that are being written, by path. */
const files = new Map<string, OpenFile>();
const CRC_BLOCK = 1 << 20;

async function find(path: string, create: boolean): Promise<FileSystemFileHandle> {
  let folder = await navigator.storage.getDirectory();
  const parts = path.split('/');
  const name = parts.pop() as string;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return folder.getFileHandle(name, { create });
}

async function write(path: string, chunk: Uint8Array<ArrayBuffer>): Promise<void> {
  let file = files.get(path);
  if (!file) {
    const handle = await (await find(path, true)).createSyncAccessHandle();
    file = { handle, size: handle.getSize() };
    files.set(path, file);
  }
  const written = file.handle.write(chunk, { at: file.size });
  if (written !== chunk.length) throw new DOMException('the disk is full', 'QuotaExceededError');
  file.size += written;
}

function close(path: string): void {
  const file = files.get(path);
  if (!file) return;
  files.delete(path);
  try {
    file.handle.flush();
  } finally {
    file.handle.close();
  }
}

async function checksum(path: string): Promise<number> {
  const handle = await (await find(path, false)).createSyncAccessHandle();
  try {
    const block = new Uint8Array(CRC_BLOCK);
    let value = 0;
    for (let at = 0, read = 1; read > 0; at += read) {
      read = handle.read(block, { at });
      value = crc32(block.subarray(0, read), value);
    }
    return value;
  } finally {
    handle.close();
  }
}

async function answer(request: StorageRequest): Promise<number | undefined> {
  if (request.op === 'write') await write(request.path, request.chunk);
  else if (request.op === 'close') close(request.path);
  else return checksum(request.path);
  return undefined;
}

addEventListener('message', async (event: MessageEvent<StorageMessage>) => {
  const { id, request } = event.data;
  let reply: StorageAnswer;
  try {
    const value = await answer(request);
    reply = value === undefined ? { id } : { id, value };
  } catch (error) {
    const { name, message } = error as Error;
    reply = { id, error: { name, message } };
  }
  postMessage(reply);
});
