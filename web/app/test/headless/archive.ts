/**
 * Writes an archive of the page under Node, for tests with other programs that read ZIP files.
 *
 *     archive.ts TARGET ENTRIES
 *
 * ENTRIES: a file with a JSON array of `{path, file?}`; without a file it is a folder.
 */

import { openAsBlob, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

import { crc32 } from '../../src/sinks/crc32';
import { makeZip, type ZipEntry } from '../../src/sinks/zip';

interface Wanted {
  readonly path: string;
  readonly file?: string;
}

const [target, list] = process.argv.slice(2);

async function toEntry({ path, file }: Wanted): Promise<ZipEntry> {
  const content = file === undefined ? null : await openAsBlob(file);
  let checksum = 0;
  if (content !== null) for await (const piece of content.stream()) checksum = crc32(piece, checksum);
  return { path, content, crc32: checksum, modified: Date.UTC(2026, 10, 29, 12) };
}

const entries: ZipEntry[] = [];
for (const wanted of JSON.parse(readFileSync(list!, 'utf8')) as Wanted[]) entries.push(await toEntry(wanted));
await writeFile(target!, makeZip(entries).stream());
