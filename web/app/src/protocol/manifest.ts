/** The manifest that the sender offers: one JSON object a line (docs/protocol.md, "Manifest"). */

import { type Bytes, utf8 } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import { parseObject } from './wire';

export const MAX_ENTRIES = 250_000;
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
const MAX_LINE = 32 * 1024;
const MAX_NAME = 4096;
const MAX_PERMISSIONS = 0o777;
const MODIFIED = /^-?\d{1,12}\.\d{9}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const LINE_FEED = 10;

export interface Attributes {
  /** Permission bits, at most 0777. */
  readonly mode: number;
  /** Seconds since the epoch with nine decimals. */
  readonly modified: string;
}

export interface FileEntry extends Attributes {
  readonly path: string;
  readonly size: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

export interface FolderEntry extends Attributes {
  readonly path: string;
}

export interface LinkEntry {
  readonly path: string;
  readonly target: string;
}

export interface Manifest {
  readonly files: readonly FileEntry[];
  readonly folders: readonly FolderEntry[];
  readonly links: readonly LinkEntry[];
  readonly isText: boolean;
}

export function totalBytes(manifest: Manifest): number {
  return manifest.files.reduce((sum, { size }) => sum + size, 0);
}

export function encodeManifest(manifest: Manifest): Bytes {
  const { files, folders, links, isText } = manifest;
  const lines: object[] = [
    ...(isText ? [{ text: true }] : []),
    ...files.map(({ path, ...rest }) => ({ file: path, ...rest })),
    ...folders.map(({ path, ...rest }) => ({ folder: path, ...rest })),
    ...links.map(({ path, target }) => ({ link: path, target })),
  ];
  return utf8(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Decodes a received document; fails with `malformed` if it is not a valid manifest. */
export function decodeManifest(document: Bytes): Manifest {
  const files: FileEntry[] = [];
  const folders: FolderEntry[] = [];
  const links: LinkEntry[] = [];
  let isText = false;
  let count = 0;
  for (const line of lines(document)) {
    if (++count > MAX_ENTRIES) throw new ProtocolError('malformed');
    if ('file' in line) files.push(parseFile(line));
    else if ('folder' in line) folders.push(parseFolder(line));
    else if ('link' in line) links.push(parseLinkEntry(line));
    else if (line['text'] === true && Object.keys(line).length === 1) isText = true;
    else throw new ProtocolError('malformed');
  }
  const isEmpty = files.length + folders.length === 0;
  const isOneFile = files.length === 1 && folders.length + links.length === 0;
  if (isEmpty || (isText && !isOneFile)) throw new ProtocolError('malformed');
  return { files, folders, links, isText };
}

/** The entries of a document. Each line is parsed by itself and has a bounded length. */
function* lines(document: Bytes): Generator<Record<string, unknown>> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let at = 0; at < document.length;) {
    const end = document.indexOf(LINE_FEED, at);
    if (end < 0 || end - at >= MAX_LINE) throw new ProtocolError('malformed');
    const entry = parseObject(decodeLine(decoder, document.subarray(at, end)));
    if (entry === null) throw new ProtocolError('malformed');
    yield entry;
    at = end + 1;
  }
}

function decodeLine(decoder: TextDecoder, line: Bytes): string {
  try {
    return decoder.decode(line);
  } catch {
    throw new ProtocolError('malformed');
  }
}

function parseFile({ file, size, sha256, ...more }: Record<string, unknown>): FileEntry {
  const isValid = isName(file) && isCount(size) && typeof sha256 === 'string' && DIGEST.test(sha256);
  if (!isValid) throw new ProtocolError('malformed');
  return { path: file, size, sha256, ...parseAttributes(more) };
}

function parseFolder({ folder, ...more }: Record<string, unknown>): FolderEntry {
  if (!isName(folder)) throw new ProtocolError('malformed');
  return { path: folder, ...parseAttributes(more) };
}

function parseLinkEntry({ link, target, ...more }: Record<string, unknown>): LinkEntry {
  const isValid = isName(link) && isName(target) && Object.keys(more).length === 0;
  if (!isValid || !isInnerTarget(link, target)) throw new ProtocolError('malformed');
  return { path: link, target };
}

function parseAttributes({ mode, modified, sparse, ...more }: Record<string, unknown>): Attributes {
  const isValid =
    isCount(mode) &&
    mode <= MAX_PERMISSIONS &&
    typeof modified === 'string' &&
    MODIFIED.test(modified) &&
    ['undefined', 'boolean'].includes(typeof sparse);
  if (!isValid || Object.keys(more).length > 0) throw new ProtocolError('malformed');
  return { mode, modified };
}

/** Whether a link stays inside its top folder and does not lead to the top folder itself. */
function isInnerTarget(path: string, target: string): boolean {
  if (target.startsWith('/') || target.includes('\0')) return false;
  const resolved: string[] = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') {
      if (resolved.length <= 1) return false;
      resolved.pop();
    } else if (part !== '' && part !== '.') {
      resolved.push(part);
    }
  }
  return resolved.length > 1;
}

function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  return value.length <= MAX_NAME || Array.from(value).length <= MAX_NAME;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
