/**
 * Writes an archive of the page under Node, for tests with other programs that read ZIP files.
 *
 *     archive.ts TARGET < ENTRIES
 *
 * ENTRIES: a JSON array of `{path, file?}`; without a file it is a folder. Zeros leave holes in the target, so that a large
 * archive takes little space.
 */

import { openAsBlob, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

import { crc32 } from '../../src/sinks/crc32';
import { makeZip, type ZipEntry } from '../../src/sinks/zip';

interface Wanted {
  readonly path: string;
  readonly file?: string;
}

const PIECE = 1 << 20;
const ZEROS = Buffer.alloc(PIECE);
const [target] = process.argv.slice(2);

async function toEntry({ path, file }: Wanted): Promise<ZipEntry> {
  const content = file === undefined ? null : await openAsBlob(file);
  let checksum = 0;
  if (content !== null) for await (const piece of content.stream()) checksum = crc32(piece, checksum);
  return { path, content, crc32: checksum, modified: Date.UTC(2026, 10, 29, 12) };
}

async function write(archive: Blob): Promise<void> {
  const out = await open(target!, 'w');
  await out.truncate(archive.size);
  for (let at = 0; at < archive.size; at += PIECE) {
    const piece = Buffer.from(await archive.slice(at, at + PIECE).arrayBuffer());
    if (!piece.equals(ZEROS.subarray(0, piece.length))) await out.write(piece, 0, piece.length, at);
  }
  await out.close();
}

const entries: ZipEntry[] = [];
for (const wanted of JSON.parse(readFileSync(0, 'utf8')) as Wanted[]) entries.push(await toEntry(wanted));
await write(makeZip(entries));
