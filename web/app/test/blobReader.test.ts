/** Blobs that are read for their hashes. */

import { afterEach, describe, expect, test, vi } from 'vitest';

import { type Bytes, toHex } from '../src/crypto/bytes';
import { sha256 } from '../src/crypto/kdf';
import { BlobReader } from '../src/worker/blobReader';
import { TransferCrypto } from '../src/worker/transferCrypto';

const SIZE = (5 << 20) + 12_345;

/** Content in which no two parts are equal. */
function content(): Bytes {
  const words = new Uint32Array(Math.ceil(SIZE / 4)).map((_, at) => Math.imul(at, 2_654_435_761));
  return new Uint8Array(words.buffer, 0, SIZE);
}

async function hashOf(blobs: readonly Blob[]): Promise<string> {
  const crypto = new TransferCrypto(() => {});
  await crypto.startHash(1);
  for (const blob of blobs) await crypto.updateHash(1, blob);
  return crypto.finishHash(1);
}

/** Counts the buffers that are made for reading. */
async function countBuffers(work: () => Promise<unknown>): Promise<number> {
  let made = 0;
  const Real = ArrayBuffer;
  vi.stubGlobal(
    'ArrayBuffer',
    class extends Real {
      constructor(size: number) {
        super(size);
        made += 1;
      }
    },
  );
  await work();
  return made;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('blobs for a hash', () => {
  test('are read into one buffer', async () => {
    const blobs = [new Blob([content()]), new Blob(), new Blob([content()])];
    const parts: Bytes[] = [];
    const reader = new BlobReader();
    const read = () => reader.read(blobs[0]!, (part) => parts.push(part.slice()));
    expect(await countBuffers(async () => [await read(), await read()])).toBe(1);
    expect(await new Blob(parts).arrayBuffer()).toEqual(await new Blob([blobs[0]!, blobs[0]!]).arrayBuffer());
  });

  test('have the hash of their content, in parts or together', async () => {
    const whole = new Blob([content()]);
    const expected = toHex(await sha256(content()));
    expect(await hashOf([whole])).toBe(expected);
    expect(await hashOf([whole.slice(0, 3_000_001), new Blob(), whole.slice(3_000_001)])).toBe(expected);
  });

  test('may be read at the same time', async () => {
    const crypto = new TransferCrypto(() => {});
    await Promise.all([crypto.startHash(1), crypto.startHash(2)]);
    const whole = new Blob([content()]);
    await Promise.all([crypto.updateHash(1, whole), crypto.updateHash(2, whole)]);
    const expected = toHex(await sha256(content()));
    expect(await Promise.all([crypto.finishHash(1), crypto.finishHash(2)])).toEqual([expected, expected]);
  });

  test('that end too early are not readable', async () => {
    const blob = new Blob(['short']);
    Object.defineProperty(blob, 'size', { value: 10 });
    await expect(new BlobReader().read(blob, () => {})).rejects.toMatchObject({ name: 'NotReadableError' });
  });

  test('are read at once where a stream takes no buffer, and no stream of them is made', async () => {
    const whole = new Blob([content()]);
    whole.stream = () => {
      throw new Error('WebKit would read it a second time');
    };
    // As in WebKit, whose streams of blobs are no byte streams.
    vi.spyOn(Blob.prototype, 'stream').mockImplementation(() => new ReadableStream());
    const { TransferCrypto: Fresh } = await import('../src/worker/transferCrypto');
    const crypto = new Fresh(() => {});
    await crypto.startHash(1);
    await crypto.updateHash(1, whole);
    expect(await crypto.finishHash(1)).toBe(toHex(await sha256(content())));
    vi.restoreAllMocks();
  });
});
