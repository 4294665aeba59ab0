/** PNG: keeps the chunks that a decoder needs (PNG, third edition, section 11). */
import { crc32 } from '../sinks/crc32';
import { MAX_PROFILE, stripProfile } from './icc';
import { orientationOnly } from './orientation';
import {
  asciiBytes,
  BrokenPictureError,
  joinParts,
  number32,
  type Part,
  type PictureReader,
} from './picture';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const MAX_CHUNK = 2 ** 31 - 1;

/** The kept chunks with their maximum size: a larger one could hold anything. */
const KEPT: Readonly<Record<string, number>> = {
  IHDR: 13, PLTE: 768, IDAT: MAX_CHUNK, IEND: 0, acTL: 8, fcTL: 26, fdAT: MAX_CHUNK, tRNS: 256, hIST: 512,
  bKGD: 6, pHYs: 9, sBIT: 4, cHRM: 32, gAMA: 4, sRGB: 1, cICP: 4, mDCV: 24, cLLI: 8,
}; // prettier-ignore

export async function cleanPng(picture: PictureReader): Promise<Part[]> {
  const parts: Part[] = [PNG_SIGNATURE];
  const rewritten = new Set<string>();
  for (const [kind, at, end] of chunks(picture)) {
    const largest = KEPT[kind];
    if (largest !== undefined) {
      if (end - at - 12 > largest) throw new BrokenPictureError('broken PNG');
      check(picture, at, end);
      parts.push(picture.range(at, end));
    } else if ((kind === 'iCCP' || kind === 'eXIf') && !rewritten.has(kind)) {
      rewritten.add(kind);
      check(picture, at, end);
      parts.push(
        kind === 'iCCP'
          ? await profile(picture, at, end)
          : chunk('eXIf', orientationOnly(picture, at + 8, end - 4)),
      );
    }
  }
  return parts.filter((part) => part.length > 0);
}

/** Kind, start and end of each chunk up to the first IEND. */
function* chunks(picture: PictureReader): Generator<[string, number, number]> {
  let at = PNG_SIGNATURE.length;
  for (let kind = ''; kind !== 'IEND';) {
    picture.countPart();
    if (at + 12 > picture.size) throw new BrokenPictureError('broken PNG');
    kind = picture.ascii(at + 4, 4);
    const end = at + 12 + picture.view.getUint32(at);
    if (end > picture.size || (at === PNG_SIGNATURE.length && kind !== 'IHDR'))
      throw new BrokenPictureError('broken PNG');
    yield [kind, at, end];
    at = end;
  }
}

function check(picture: PictureReader, at: number, end: number): void {
  if (crc32(picture.range(at + 4, end - 4)) !== picture.view.getUint32(end - 4))
    throw new BrokenPictureError('broken PNG');
}

/** The colour profile without its name and texts. */
async function profile(picture: PictureReader, at: number, end: number): Promise<Part> {
  const content = picture.range(at + 8, end - 4);
  const packed = content.subarray(content.indexOf(0) + 2);
  const unpacked = await through(packed, new DecompressionStream('deflate'), MAX_PROFILE).catch(
    () => new Uint8Array(),
  );
  const kept = stripProfile(unpacked);
  if (kept.length === 0) return new Uint8Array();
  const again = await through(kept, new CompressionStream('deflate'), Infinity);
  return chunk('iCCP', joinParts(asciiBytes('icc\0\0'), again));
}

async function through(
  data: Part,
  stream: CompressionStream | DecompressionStream,
  limit: number,
): Promise<Part> {
  const parts: Part[] = [];
  let size = 0;
  const reader = new Blob([data]).stream().pipeThrough(stream).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joinParts(...parts);
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new BrokenPictureError('too large a colour profile');
    }
    parts.push(value);
  }
}

/** A chunk; empty for empty content. */
function chunk(kind: string, content: Part): Part {
  if (content.length === 0) return content;
  const inside = joinParts(asciiBytes(kind), content);
  return joinParts(number32(content.length), inside, number32(crc32(inside)));
}
