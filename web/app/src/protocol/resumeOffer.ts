/** The receiver's answer to a manifest: what it has already. */

import { type Bytes, fromHex, toHex, utf8 } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import type { Manifest } from './manifest';
import { parseObject } from './wire';

export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface ResumeOffer {
  /** Received bytes of files that are here in part. */
  readonly partial: ReadonlyMap<number, number>;
  readonly complete: ReadonlySet<number>;
}

export function encodeResumeOffer({ partial, complete }: ResumeOffer): Bytes {
  return utf8(JSON.stringify({ have: [...partial], done: encodeBits(complete) }));
}

/** Decodes the answer to `manifest`; fails with `malformed` if it does not fit it. */
export function decodeResumeOffer(document: Bytes, manifest: Manifest): ResumeOffer {
  const { have, done, ...more } = parseObject(new TextDecoder().decode(document)) ?? {};
  const complete = decodeBits(done);
  const sizes = manifest.files.map(({ size }) => size);
  const isValid =
    Array.isArray(have) &&
    have.every((pair) => isPartial(pair, sizes)) &&
    complete !== null &&
    [...complete].every((file) => file < sizes.length) &&
    Object.keys(more).length === 0;
  if (!isValid) throw new ProtocolError('malformed');
  return { partial: new Map(have as [number, number][]), complete };
}

/** A bit for each file in hexadecimal digits, the first file in the highest bit. */
export function encodeBits(files: ReadonlySet<number>): string {
  let highest = -1;
  for (const file of files) highest = Math.max(highest, file);
  const bits = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const file of files) bits[file >> 3]! |= 0x80 >> (file & 7);
  return toHex(bits);
}

/** The files of {@link encodeBits}; null for any other text. */
export function decodeBits(text: unknown): Set<number> | null {
  const bits = typeof text === 'string' ? fromHex(text) : null;
  if (bits === null) return null;
  const files = new Set<number>();
  bits.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) files.add(at * 8 + bit);
  });
  return files;
}

/** Whether this is a file's number and a number of its bytes. */
function isPartial(pair: unknown, sizes: readonly number[]): boolean {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [file, bytes] = pair as unknown[];
  const size = Number.isSafeInteger(file) ? sizes[file as number] : undefined;
  return (
    size !== undefined && Number.isSafeInteger(bytes) && (bytes as number) >= 0 && (bytes as number) <= size
  );
}
