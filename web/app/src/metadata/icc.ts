/**
 * ICC profiles: the data that a picture's colours need, without text. A profile may name who calibrated a screen
 * and when, and hold comments of any length (ICC.1:2022, sections 7 and 9).
 */
import { asciiBytes, joinParts, number32, PictureReader, sizeOfParts, type Part } from './picture';

/** The largest printer profiles have about half of it. */
export const MAX_PROFILE = 4 << 20;
const HEAD = 128;
const MAX_TAGS = 100;

/** White and black points, primaries, curves, look-up tables, adaptation: colours are computed from these. */
const COLOURS = new Set(
  (
    'wtpt bkpt chad rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC lumi cicp gamt pre0 pre1 pre2 ' +
    'A2B0 A2B1 A2B2 A2B3 B2A0 B2A1 B2A2 B2A3 D2B0 D2B1 D2B2 D2B3 B2D0 B2D1 B2D2 B2D3'
  ).split(' '),
);
/** Types that these tags may have: a text under the name of a colour tag is rejected. */
const TYPES = new Set(['XYZ ', 'curv', 'para', 'sf32', 'cicp', 'mft1', 'mft2', 'mAB ', 'mBA ', 'mpet']);
/** Header fields to keep: version, class, colour spaces, signature, flags, intent, illuminant. */
const HEAD_KEPT = [[8, 24], [36, 40], [44, 48], [64, 80]] as const; // prettier-ignore

/** A profile with the same colours and nothing else; empty if it is invalid. */
export function stripProfile(profile: Part): Part {
  const reader = new PictureReader(profile.slice().buffer);
  if (profile.length < HEAD + 4 || profile.length > MAX_PROFILE || !reader.has('acsp', 36))
    return new Uint8Array();
  const tags = readTags(reader);
  const distinct = new Map([...tags.values()].map((content) => [keyOf(content), content]));
  // Overlapping contents would make the result much larger than the profile; valid profiles have none.
  if (tags.size === 0 || sizeOfParts([...distinct.values()]) > profile.length) return new Uint8Array();
  return assemble(profile, new Map([...requiredTexts((profile[8] ?? 0) >= 4), ...tags]));
}

/** Both tags are required; these are empty. */
function requiredTexts(isVersion4: boolean): [string, Part][] {
  const empty = joinParts(asciiBytes('mluc'), new Uint8Array(4), number32(0), number32(12));
  if (isVersion4) return [['desc', empty], ['cprt', empty]]; // prettier-ignore
  const description = joinParts(
    asciiBytes('desc'),
    new Uint8Array(4),
    number32(4),
    asciiBytes('icc\0'),
    new Uint8Array(78),
  );
  return [['desc', description], ['cprt', joinParts(asciiBytes('text'), new Uint8Array(8))]]; // prettier-ignore
}

function readTags(profile: PictureReader): Map<string, Part> {
  const count = Math.min(profile.view.getUint32(HEAD), MAX_TAGS);
  const found = new Map<string, Part>();
  for (let at = HEAD + 4; at < HEAD + 4 + 12 * count && at + 12 <= profile.size; at += 12) {
    const name = profile.ascii(at, 4);
    const offset = profile.view.getUint32(at + 4);
    const size = profile.view.getUint32(at + 8);
    if (!COLOURS.has(name) || offset + size > profile.size || offset + 4 > profile.size) continue;
    if (TYPES.has(profile.ascii(offset, 4))) found.set(name, profile.range(offset, offset + size));
  }
  return found;
}

/** A text that is equal for equal contents. Tags often share one curve. */
const keyOf = (content: Part): string =>
  String(content.length) + Array.from(content, (byte) => String.fromCharCode(byte)).join('');

function assemble(profile: Part, contents: ReadonlyMap<string, Part>): Part {
  const head = new Uint8Array(HEAD);
  for (const [start, end] of HEAD_KEPT) head.set(profile.subarray(start, end), start);
  const first = HEAD + 4 + 12 * contents.size;
  const table: Part[] = [];
  const body: Part[] = [];
  const placed = new Map<string, number>();
  let size = 0;
  for (const [name, content] of contents) {
    const key = keyOf(content);
    let offset = placed.get(key);
    if (offset === undefined) {
      offset = first + size;
      placed.set(key, offset);
      const padded = joinParts(content, new Uint8Array((4 - (content.length % 4)) % 4));
      body.push(padded);
      size += padded.length;
    }
    table.push(asciiBytes(name), number32(offset), number32(content.length));
  }
  head.set(number32(first + size));
  return joinParts(head, number32(contents.size), ...table, ...body);
}
