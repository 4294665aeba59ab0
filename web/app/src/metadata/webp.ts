/** WebP: keeps the chunks that a decoder needs, also inside the frames of an animation (RFC 9649, section 2). */
import { stripProfile } from './icc';
import { orientationOnly } from './orientation';
import {
  asciiBytes,
  BrokenPictureError,
  joinParts,
  number32,
  sizeOfParts,
  type Part,
  type PictureReader,
} from './picture';

const FIRST_CHUNK = 12;
const FRAME_HEAD = 16;
const HAS_ICC = 0x20;
const HAS_EXIF = 0x08;
const HAS_XMP = 0x04;
const PICTURE = new Set(['ANIM', 'ALPH', 'VP8 ', 'VP8L']);
const IN_FRAME = new Set(['ALPH', 'VP8 ', 'VP8L']);

type Chunk = readonly [kind: string, start: number, stop: number];

export function cleanWebp(picture: PictureReader): Part[] {
  if (picture.size < FIRST_CHUNK) throw new BrokenPictureError('broken WebP');
  const end = 8 + picture.view.getUint32(4, true);
  if (end > picture.size || end < FIRST_CHUNK) throw new BrokenPictureError('broken WebP');
  const body: Part[] = [];
  const rewritten = new Map<string, Part>();
  let head: Part | null = null;
  let pictures = 0;
  for (const [kind, start, stop] of chunks(picture, FIRST_CHUNK, end)) {
    if (kind === 'VP8X' && start === FIRST_CHUNK + 8 && stop - start === 10)
      head = picture.range(FIRST_CHUNK, stop).slice();
    else if (kind === 'ANMF') {
      body.push(...chunkOf(kind, frame(picture, start, stop)));
      pictures += 1;
    } else if (PICTURE.has(kind)) {
      body.push(...chunkOf(kind, [picture.range(start, stop)]));
      pictures += 1;
    } else if ((kind === 'ICCP' || kind === 'EXIF') && head && !rewritten.has(kind)) {
      const kept =
        kind === 'EXIF' ? orientationOnly(picture, start, stop) : stripProfile(picture.range(start, stop));
      rewritten.set(kind, kept);
      if (kept.length > 0) body.push(...chunkOf(kind, [kept]));
    }
  }
  if (pictures === 0) throw new BrokenPictureError('broken WebP');
  if (head) {
    const present = (kind: string, flag: number) => ((rewritten.get(kind)?.length ?? 0) > 0 ? flag : 0);
    head[8] =
      ((head[8] ?? 0) & ~(HAS_ICC | HAS_EXIF | HAS_XMP)) |
      present('ICCP', HAS_ICC) |
      present('EXIF', HAS_EXIF);
    body.unshift(head);
  }
  return [asciiBytes('RIFF'), number32(4 + sizeOfParts(body), true), asciiBytes('WEBP'), ...body];
}

function* chunks(picture: PictureReader, from: number, end: number): Generator<Chunk> {
  for (let at = from; at < end;) {
    picture.countPart();
    const start = at + 8;
    if (start > end) throw new BrokenPictureError('broken WebP');
    const stop = start + picture.view.getUint32(at + 4, true);
    if (stop > end) throw new BrokenPictureError('broken WebP');
    yield [picture.ascii(at, 4), start, stop];
    at = stop + ((stop - start) % 2);
  }
}

/** A frame of an animation, with its own chunks filtered. */
function frame(picture: PictureReader, start: number, stop: number): Part[] {
  const inner = start + FRAME_HEAD;
  if (inner > stop) throw new BrokenPictureError('broken WebP');
  const parts: Part[] = [picture.range(start, inner)];
  for (const [kind, begin, end] of chunks(picture, inner, stop))
    if (IN_FRAME.has(kind)) parts.push(...chunkOf(kind, [picture.range(begin, end)]));
  return parts;
}

function chunkOf(kind: string, content: readonly Part[]): Part[] {
  const size = sizeOfParts(content);
  return [joinParts(asciiBytes(kind), number32(size, true)), ...content, new Uint8Array(size % 2)];
}
