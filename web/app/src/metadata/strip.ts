/** Removes metadata from pictures before they are sent. The content decides, not the file's name. */
import type { SendItem } from '../types';
import { cleanJpeg } from './jpeg';
import { BrokenPictureError, PictureReader, sizeOfParts, type Part } from './picture';
import { cleanPng, PNG_SIGNATURE } from './png';
import { cleanWebp } from './webp';

const MAX_PICTURE_BYTES = 256 * 1024 * 1024;
const HEAD_BYTES = 16;

export type StripResult =
  | { readonly outcome: 'stripped'; readonly file: File }
  | { readonly outcome: 'unchanged'; readonly file: File }
  /** The metadata cannot be removed: the picture is broken or too large. */
  | { readonly outcome: 'failed'; readonly file: File };

type Cleaner = (picture: PictureReader) => Part[] | Promise<Part[]>;

/** One file without its metadata; the pixels stay as they are, byte for byte. */
export async function strip(file: File): Promise<StripResult> {
  const cleaner = cleanerOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (!cleaner) return { outcome: 'unchanged', file };
  if (file.size > MAX_PICTURE_BYTES) return { outcome: 'failed', file };
  try {
    const picture = new PictureReader(await file.arrayBuffer());
    const parts = await cleaner(picture);
    if (isWhole(parts, picture.bytes)) return { outcome: 'unchanged', file };
    const cleaned = new File(parts, file.name, { type: file.type, lastModified: file.lastModified });
    return { outcome: 'stripped', file: cleaned };
  } catch (error) {
    if (error instanceof BrokenPictureError || error instanceof RangeError)
      return { outcome: 'failed', file };
    throw error;
  }
}

/**
 * Items with the pictures' metadata removed.
 *
 * @param onResult is called for each picture that had metadata or whose metadata cannot be removed.
 */
export async function stripItems(
  items: readonly SendItem[],
  onResult: (outcome: 'stripped' | 'failed', path: string) => void,
): Promise<SendItem[]> {
  const cleaned: SendItem[] = [];
  for (const item of items) {
    if (item.kind !== 'file') {
      cleaned.push(item);
      continue;
    }
    const { outcome, file } = await strip(item.file);
    if (outcome !== 'unchanged') onResult(outcome, item.path);
    cleaned.push({ ...item, file });
  }
  return cleaned;
}

function cleanerOf(head: Uint8Array): Cleaner | null {
  const text = String.fromCharCode(...head);
  if (text.startsWith('\xff\xd8\xff')) return cleanJpeg;
  if (PNG_SIGNATURE.every((byte, at) => head[at] === byte)) return cleanPng;
  return text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP' ? cleanWebp : null;
}

function isWhole(parts: readonly Part[], bytes: Uint8Array): boolean {
  if (sizeOfParts(parts) !== bytes.length) return false;
  let at = 0;
  for (const part of parts)
    for (const byte of part) {
      if (byte !== bytes[at]) return false;
      at += 1;
    }
  return true;
}
