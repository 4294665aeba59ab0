/**
 * Safe file names: paths of the other side stay inside the folder and can be written on every system. The rules
 * are those of `src/tallow/app/files/names.py`.
 */

const MAX_PART = 255;
const MAX_FOLDERS = 100;
const MAX_PATH = 900;
const PARTIAL = '.tallow-part';
/** Replaces a name of which nothing safe is left, such as a single space. */
const FALLBACK = 'file';
const PARENTS = new Set(['.', '..']);

const RESERVED = /[\\:*?"<>|]/;
// CONIN$, and COM¹ with a superscript, are Windows devices too, with any extension.
const DEVICE = /^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|$)/i;
const NAME = /^(.+?)((?:\.tar)?\.[A-Za-z0-9]{1,16})?$/s;
/** They join letters in some scripts, and emoji; their effect is visible. */
const JOINERS = /[\u200c\u200d]/;

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).length;

/**
 * A safe relative path from a path of the other side. Folders are kept. Dropped are `..`, roots, empty parts and
 * invisible characters; control characters, lone surrogates and characters that Windows reserves become `_`. A name
 * of which nothing is left becomes `file`, so that what is below it keeps its folder.
 */
export function safePath(path: string): string {
  let parts = path.split('/').filter(Boolean).map(safePart).filter(Boolean);
  if (parts.length === 0) parts = [FALLBACK];
  if (parts[0]!.startsWith('.')) parts[0] = `_${parts[0]!.slice(1)}`;
  const last = parts.pop()!;
  const name = last.toLowerCase().endsWith(PARTIAL) ? `${last.slice(0, -1)}_` : last;
  const folders = parts.slice(0, MAX_FOLDERS);
  while (folders.length > 0 && byteLength([...folders, name].join('/')) > MAX_PATH) folders.pop();
  return [...folders, name].join('/');
}

/** Whether a receiver can keep the folders of a path. */
export function isTooNested(path: string): boolean {
  const folders = path.split('/').length - 1;
  return folders > MAX_FOLDERS || (folders > 0 && byteLength(path) > MAX_PATH);
}

/** Safe paths of which no two are equal on a system that ignores case: `beach.jpg`, `beach (2).jpg`. */
export function safePaths(paths: readonly string[]): string[] {
  const taken = new Set<string>();
  const next = new Map<string, number>();
  return paths.map((path) => {
    const safe = safePath(path);
    let free = safe;
    let number = next.get(safe.toLowerCase()) ?? 2;
    while (taken.has(free.toLowerCase())) free = numbered(safe, number++);
    next.set(safe.toLowerCase(), number);
    taken.add(free.toLowerCase());
    return free;
  });
}

function numbered(path: string, number: number): string {
  const at = path.lastIndexOf('/') + 1;
  return path.slice(0, at) + truncate(path.slice(at), ` (${number})`);
}

/** A name with `suffix` before its extension, cut to `MAX_PART` bytes. */
function truncate(name: string, suffix = ''): string {
  const [, stem = name, extension = ''] = NAME.exec(name) ?? [];
  const room = MAX_PART - byteLength(suffix + extension);
  return cut(stem, room) + suffix + extension;
}

function cut(text: string, room: number): string {
  if (byteLength(text) <= room) return text;
  const target = new Uint8Array(room);
  const { read } = encoder.encodeInto(text, target);
  return text.slice(0, read).replace(/[ .]+$/, '');
}

function replaceCharacter(letter: string): string {
  if (/\p{Cf}/u.test(letter)) return JOINERS.test(letter) ? letter : '';
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(letter) || RESERVED.test(letter) ? '_' : letter;
}

/** A safe name; empty for `.` and `..`, also between spaces or invisible characters. */
function safePart(piece: string): string {
  const cleaned = Array.from(piece, replaceCharacter)
    .join('')
    .normalize('NFC')
    .replace(/^ +| +$/g, '');
  if (PARENTS.has(cleaned)) return '';
  let part = cleaned.replace(/[ .]+$/, '');
  if (DEVICE.test(part)) part = `_${part}`;
  return truncate(part) || FALLBACK;
}
