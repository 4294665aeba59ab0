/**
 * JPEG: keeps the segments that a decoder needs, byte for byte (ITU-T T.81, annex B; JFIF 1.02; ICC.1, annex
 * B.4). EXIF except the orientation, XMP, IPTC, comments, thumbnails, further pictures and trailing bytes go.
 */
import { stripProfile } from './icc';
import { EXIF_HEADER, orientationOnly } from './orientation';
import {
  asciiBytes,
  BrokenPictureError,
  joinParts,
  number16,
  type Part,
  type PictureReader,
} from './picture';

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const ICC = 'ICC_PROFILE\0';
const PROFILE_HEAD = ICC.length + 2;
const MAX_PAYLOAD = 0xffff - 2;

/** Frames, tables, restart interval, arithmetic conditioning, number of lines. */
const isPicture = (marker: number): boolean =>
  (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8) || [0xdb, 0xdc, 0xdd, 0xde, 0xdf].includes(marker);
const isBare = (marker: number): boolean => marker === 0x01 || isRestart(marker);
const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

interface Segment {
  readonly marker: number;
  /** Position of the marker. */
  readonly at: number;
  /** Payload; of SOS, to the end of the scan. */
  readonly start: number;
  readonly end: number;
}

export function cleanJpeg(picture: PictureReader): Part[] {
  const headers = new Map<number, Segment>();
  const profile: Segment[] = [];
  const content: Part[] = [];
  for (const segment of segments(picture)) {
    if (isPicture(segment.marker) || segment.marker === SOS)
      content.push(picture.range(segment.at, segment.end));
    else if (segment.marker === APP2 && isHeader(picture, segment)) profile.push(segment);
    else if (isHeader(picture, segment) && !headers.has(segment.marker)) headers.set(segment.marker, segment);
  }
  const parts: Part[] = [Uint8Array.of(0xff, SOI)];
  const jfif = headers.get(APP0); // version and density, without the thumbnail
  if (jfif)
    parts.push(segmentOf(APP0, joinParts(picture.range(jfif.start, jfif.start + 12), Uint8Array.of(0, 0))));
  const exif = headers.get(APP1);
  const orientation = exif ? orientationOnly(picture, exif.start, exif.end) : new Uint8Array();
  if (orientation.length > 0) parts.push(segmentOf(APP1, joinParts(asciiBytes(EXIF_HEADER), orientation)));
  parts.push(...profileSegments(picture, profile));
  const adobe = headers.get(APP14); // colour transform
  if (adobe) parts.push(segmentOf(APP14, picture.range(adobe.start, adobe.start + 12)));
  return [...parts, ...content, Uint8Array.of(0xff, EOI)];
}

const HEADERS: ReadonlyMap<number, readonly [string, number]> = new Map([
  [APP0, ['JFIF\0', 14]],
  [APP1, [EXIF_HEADER, 0]],
  [APP2, [ICC, PROFILE_HEAD]],
  [APP14, ['Adobe', 12]],
]);

function isHeader(picture: PictureReader, { marker, start, end }: Segment): boolean {
  const [prefix, least] = HEADERS.get(marker) ?? ['', Infinity];
  return end - start >= Math.max(least, prefix.length) && picture.has(prefix, start);
}

/** The segments of the first picture. */
function* segments(picture: PictureReader): Generator<Segment> {
  let at = 2;
  let scans = 0;
  for (;;) {
    const found = findMarker(picture, at, false);
    if (found < 0) break;
    picture.countPart();
    const marker = picture.bytes[found + 1] as number;
    const start = found + 2;
    if (marker === EOI && scans > 0) return;
    if (isBare(marker)) {
      at = start;
      continue;
    }
    if (marker === SOI || marker === EOI || start + 2 > picture.size) break;
    const length = picture.view.getUint16(start);
    let end = start + length;
    if (length < 2 || end > picture.size) break;
    if (marker === SOS) {
      end = findMarker(picture, end, true);
      if (end < 0) break;
      scans += 1;
    }
    yield { marker, at: found, start: start + 2, end };
    at = end;
  }
  throw new BrokenPictureError('broken JPEG');
}

/** The last 0xFF before the next marker; -1 if there is none. In a scan, restart markers are skipped. */
function findMarker({ bytes }: PictureReader, from: number, inScan: boolean): number {
  for (
    let at = bytes.indexOf(0xff, from);
    at >= 0 && at + 1 < bytes.length;
    at = bytes.indexOf(0xff, at + 1)
  ) {
    const next = bytes[at + 1] as number;
    if (next !== 0 && next !== 0xff && !(inScan && isRestart(next))) return at;
  }
  return -1;
}

function segmentOf(marker: number, payload: Part): Part {
  return joinParts(Uint8Array.of(0xff, marker), number16(payload.length + 2), payload);
}

/** The colour profile without its texts. It may be split into several numbered segments. */
function profileSegments(picture: PictureReader, found: readonly Segment[]): Part[] {
  const payloads = found.map(({ start, end }) => picture.range(start + ICC.length, end));
  payloads.sort((one, other) => (one[0] ?? 0) - (other[0] ?? 0));
  const profile = stripProfile(joinParts(...payloads.map((payload) => payload.subarray(2))));
  const size = MAX_PAYLOAD - PROFILE_HEAD;
  const count = Math.ceil(profile.length / size);
  return Array.from({ length: count }, (_, index) => {
    const piece = profile.subarray(index * size, (index + 1) * size);
    return segmentOf(APP2, joinParts(asciiBytes(ICC), Uint8Array.of(index + 1, count), piece));
  });
}
