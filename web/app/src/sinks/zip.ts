/**
 * A ZIP file (APPNOTE 6.3.10) without compression, as a Blob of small headers and the files themselves: the
 * browser reads them from the disk while it saves. Sizes above 4 GiB use ZIP64.
 */

export interface ZipEntry {
  /** Relative, with `/`; a folder ends with one. */
  readonly path: string;
  readonly content: Blob | null;
  readonly crc32: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

const UTF8_NAMES = 1 << 11;
const VERSION_PLAIN = 20;
const VERSION_ZIP64 = 45;
const UNIX = 3 << 8;
const LIMIT_32 = 0xffffffff;
const LIMIT_16 = 0xffff;

export function makeZip(entries: readonly ZipEntry[]): Blob {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const entry of entries) {
    const size = entry.content?.size ?? 0;
    const header = localHeader(entry, size);
    parts.push(header, ...(entry.content ? [entry.content] : []));
    directory.push(directoryEntry(entry, size, offset));
    offset += header.length + size;
  }
  const directorySize = directory.reduce((total, part) => total + part.length, 0);
  return new Blob([...parts, ...directory, endRecord(entries.length, directorySize, offset)], {
    type: 'application/zip',
  });
}

/** A number with its width in bytes. */
type Field = readonly [1 | 2 | 4 | 8, number];

/** Little-endian fields. */
function fields(...values: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.reduce((total, [width]) => total + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of values) {
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += width;
  }
  return bytes;
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function common(entry: ZipEntry, size: number, zip64: boolean): Field[] {
  const [time, date] = dosTime(new Date(entry.modified));
  const shown = zip64 ? LIMIT_32 : size;
  return [
    [2, zip64 ? VERSION_ZIP64 : VERSION_PLAIN], [2, UTF8_NAMES], [2, 0], [2, time], [2, date],
    [4, entry.crc32], [4, shown], [4, shown],
  ]; // prettier-ignore
}

function localHeader(entry: ZipEntry, size: number): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(entry.path);
  const zip64 = size >= LIMIT_32;
  const extra = zip64 ? fields([2, 1], [2, 16], [8, size], [8, size]) : new Uint8Array();
  return concatenate(
    fields([4, 0x04034b50], ...common(entry, size, zip64), [2, name.length], [2, extra.length]),
    name,
    extra,
  );
}

function directoryEntry(entry: ZipEntry, size: number, offset: number): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(entry.path);
  const zip64 = size >= LIMIT_32 || offset >= LIMIT_32;
  const extra = zip64 ? fields([2, 1], [2, 24], [8, size], [8, size], [8, offset]) : new Uint8Array();
  const isFolder = entry.content === null;
  const attributes = ((isFolder ? 0o40755 : 0o100644) * 65536 + (isFolder ? 16 : 0)) >>> 0;
  return concatenate(
    fields(
      [4, 0x02014b50], [2, UNIX | VERSION_ZIP64], ...common(entry, size, zip64), [2, name.length],
      [2, extra.length], [2, 0], [2, 0], [2, 0], [4, attributes], [4, zip64 ? LIMIT_32 : offset],
    ), // prettier-ignore
    name,
    extra,
  );
}

function endRecord(count: number, size: number, offset: number): Uint8Array<ArrayBuffer> {
  const zip64 = count >= LIMIT_16 || offset >= LIMIT_32 || size >= LIMIT_32;
  const shown = zip64 ? LIMIT_16 : count;
  const end = fields(
    [4, 0x06054b50], [2, 0], [2, 0], [2, shown], [2, shown],
    [4, zip64 ? LIMIT_32 : size], [4, zip64 ? LIMIT_32 : offset], [2, 0],
  ); // prettier-ignore
  if (!zip64) return end;
  const record = fields(
    [4, 0x06064b50], [8, 44], [2, UNIX | VERSION_ZIP64], [2, VERSION_ZIP64], [4, 0], [4, 0],
    [8, count], [8, count], [8, size], [8, offset],
  ); // prettier-ignore
  const locator = fields([4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]);
  return concatenate(record, locator, end);
}

/** MS-DOS time and date, local, from 1980. */
function dosTime(at: Date): [number, number] {
  const year = Math.min(127, Math.max(0, at.getFullYear() - 1980));
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  return [time, (year << 9) | ((at.getMonth() + 1) << 5) | at.getDate()];
}
