/** Prepares what is sent: the manifest with the SHA-256 of every file. */

import type { SendItem } from '../types';
import { LocalError } from '../connection/errors';
import {
  encodeManifest,
  type FileEntry,
  MAX_ENTRIES,
  MAX_MANIFEST_BYTES,
  type Manifest,
} from '../protocol/manifest';
import { isTooNested } from '../protocol/safePath';
import type { CryptoService } from '../worker/client';
import type { ProgressMeter } from './progressMeter';

const BLOCK = 8 << 20;
const TEXT_NAME = 'message.txt';
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

export interface PreparedFiles {
  readonly manifest: Manifest;
  /** The files of the manifest, in its order. */
  readonly contents: readonly Blob[];
}

let hashes = 0;

/** A new number for a hash of the worker. */
export function newHash(): number {
  return hashes++;
}

/**
 * Hashes all files. `now` becomes the time of folders and texts, in milliseconds since the epoch. Fails with
 * `source_unreadable` if a file cannot be read.
 */
export async function prepareFiles(
  items: readonly SendItem[],
  crypto: CryptoService,
  progress: ProgressMeter,
  now: number,
): Promise<PreparedFiles> {
  const sources = items.flatMap((item) => (item.kind === 'folder' ? [] : [toSource(item, now)]));
  const folders = items.flatMap((item) => (item.kind === 'folder' ? [item.path] : []));
  check(items, [...folders, ...sources.map(({ path }) => path)]);
  progress.begin(
    'preparing',
    sources.reduce((sum, { content }) => sum + content.size, 0),
    sources.length,
  );
  const files: FileEntry[] = [];
  for (const { path, content, modified } of sources) {
    progress.setFile(path);
    const sha256 = await hashFile(content, crypto, progress);
    files.push({ path, size: content.size, sha256, mode: FILE_MODE, modified: timestamp(modified) });
    progress.fileDone();
  }
  progress.report(); // the last updates may have been left out
  const manifest = {
    files,
    folders: folders.map((path) => ({ path, mode: FOLDER_MODE, modified: timestamp(now) })),
    links: [],
    isText: items.some(({ kind }) => kind === 'text'),
  };
  if (encodeManifest(manifest).length > MAX_MANIFEST_BYTES) throw new LocalError('too_many_files');
  return { manifest, contents: sources.map(({ content }) => content) };
}

interface Source {
  readonly path: string;
  readonly content: Blob;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

function toSource(item: Exclude<SendItem, { kind: 'folder' }>, now: number): Source {
  if (item.kind === 'text') return { path: TEXT_NAME, content: new Blob([item.text]), modified: now };
  return { path: item.path, content: item.file, modified: item.file.lastModified };
}

function check(items: readonly SendItem[], paths: readonly string[]): void {
  const hasText = items.some(({ kind }) => kind === 'text');
  if (items.length === 0 || (hasText && items.length > 1)) throw new LocalError('nothing_to_send');
  if (items.length > MAX_ENTRIES || paths.some(isTooNested)) throw new LocalError('too_many_files');
}

async function hashFile(content: Blob, crypto: CryptoService, progress: ProgressMeter): Promise<string> {
  const hash = newHash();
  try {
    await crypto.startHash(hash);
    for (let at = 0; at < content.size; at += BLOCK) {
      const block = content.slice(at, at + BLOCK);
      await crypto.updateHash(hash, block);
      progress.add(block.size);
    }
    return await crypto.finishHash(hash);
  } catch (error) {
    if (error instanceof LocalError) throw error; // not the file's
    throw new LocalError('source_unreadable', 'source_changed');
  }
}

/** Seconds since the epoch with nine decimals. */
function timestamp(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${seconds}.${String(Math.floor(milliseconds) - seconds * 1000).padStart(3, '0')}000000`;
}
