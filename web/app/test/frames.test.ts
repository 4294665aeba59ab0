import { describe, expect, test } from 'vitest';

import { type Bytes, randomBytes, utf8 } from '../src/crypto/bytes';
import { fromAbortCode } from '../src/crypto/errors';
import { FrameCipher, FrameType, header, OVERHEAD, packHeader, unpackHeader } from '../src/crypto/frames';
import { FrameSequence } from '../src/crypto/frameSequence';
import { linkProof } from '../src/crypto/kdf';
import { ReceiverHandshake, SenderHandshake } from '../src/crypto/handshake';

const transferId = randomBytes(16);
const [one, other] = [randomBytes(32), randomBytes(32)];
const ciphers = async (firstFrame = 0): Promise<[FrameCipher, FrameCipher]> => [
  await FrameCipher.create({ transferId, sendKey: one, receiveKey: other }, undefined, firstFrame),
  await FrameCipher.create({ transferId, sendKey: other, receiveKey: one }, undefined, firstFrame),
];
const data = (index: number, final: boolean, file = 0) => ({ ...header(FrameType.data, file, index, final) });

test.each([
  [1, 'peer_cancelled'],
  [16, 'declined'],
  [18, 'peer_stopped'],
  [99, 'protocol'],
])('abort code %i of the other side is %s', (code, expected) => {
  const error = fromAbortCode(code);
  expect([error.code, error.side]).toEqual([expected, 'other']);
});

describe('a frame is refused that is', () => {
  test.each<[string, (frame: Bytes) => Bytes]>([
    ['changed in its ciphertext', (frame) => frame.with(20, frame[20]! ^ 1) as Bytes],
    ['changed in its tag', (frame) => frame.with(frame.length - 1, frame.at(-1)! ^ 1) as Bytes],
    ['changed in its header', (frame) => frame.with(13, 0) as Bytes],
    ['cut', (frame) => frame.slice(0, -1)],
  ])('%s', async (_, change) => {
    const [sender, receiver] = await ciphers();
    const frame = change(await sender.seal(data(0, true), utf8('content')));
    await expect(receiver.open(frame)).rejects.toMatchObject({ code: 'modified' });
  });

  test('sent a second time', async () => {
    const [sender, receiver] = await ciphers();
    const frame = await sender.seal(data(0, true), utf8('content'));
    await receiver.open(frame);
    await expect(receiver.open(frame)).rejects.toMatchObject({ code: 'modified' });
  });

  test('returned to its sender', async () => {
    const [sender] = await ciphers();
    const frame = await sender.seal(data(0, true), utf8('content'));
    await expect(sender.open(frame)).rejects.toMatchObject({ code: 'modified' });
  });
});

test('a key encrypts no frame after its last nonce', async () => {
  const [sender] = await ciphers(2 ** 32 - 1);
  await sender.seal(data(0, false), utf8('last'));
  await expect(sender.seal(data(4, true), utf8('x'))).rejects.toMatchObject({ code: 'key_exhausted' });
});

test('a part of a file that cannot be read uses no nonce', async () => {
  const [sender, receiver] = await ciphers();
  const unreadable = new Blob(['content']);
  unreadable.arrayBuffer = async () => Promise.reject(new DOMException('gone', 'NotReadableError'));
  const failing = sender.sealPart({ file: 0, index: 0, content: unreadable, final: false }, 4);
  const abort = sender.seal(header(FrameType.abort), Uint8Array.of(13));
  await expect(failing).rejects.toThrow('gone');
  expect(await receiver.open(await abort)).toEqual(Uint8Array.of(13));
});

test('frames keep the order of the calls while their payloads are read', async () => {
  const [sender, receiver] = await ciphers();
  const slow = new Blob(['slow']);
  const read = slow.arrayBuffer.bind(slow);
  slow.arrayBuffer = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return read();
  };
  const part = { file: 0, index: 0, content: slow, final: false };
  const frames = [sender.sealPart(part, 4).then(([only]) => only!), sender.seal(data(4, true), utf8('fast'))];
  for (const [frame, text] of [
    [await frames[0]!, 'slow'],
    [await frames[1]!, 'fast'],
  ] as const) {
    expect(new TextDecoder().decode(await receiver.open(frame))).toBe(text);
  }
});

test.each<[string, Bytes]>([
  ['is too short', new Uint8Array(OVERHEAD - 1)],
  ['is too long', new Uint8Array(256 * 1024 + OVERHEAD + 1)],
  ['has an unknown type', new Uint8Array(OVERHEAD)],
  ['has an index beyond exact numbers', withHeader(5, 255)],
  ['has a third state of its final flag', withHeader(13, 2)],
])('a frame is malformed that %s', (_, frame) => {
  expect(() => unpackHeader(frame)).toThrow(expect.objectContaining({ code: 'malformed' }));
});

function withHeader(at: number, value: number): Bytes {
  const frame = new Uint8Array(OVERHEAD);
  frame.set(packHeader(data(0, true)));
  frame[at] = value;
  return frame;
}

describe('the order of frames', () => {
  const check = (frame: ReturnType<typeof data>, length: number): void => {
    const sequence = new FrameSequence();
    sequence.expect(FrameType.data, 1, 4, 10);
    sequence.check(frame, length);
  };

  test.each<[string, ReturnType<typeof header>, number]>([
    ['replayed', data(0, false, 1), 4],
    ['reordered', data(8, true, 1), 2],
    ['wrong_file', data(4, false, 2), 4],
    ['truncated', data(4, true, 1), 4],
    ['malformed', data(4, false, 1), 6],
    ['malformed', data(4, true, 1), 7],
    ['truncated', header(FrameType.finish), 0],
  ])('%s', (code, frame, length) => {
    expect(() => check(frame, length)).toThrow(expect.objectContaining({ code }));
  });

  test('the next frame passes, and an abort at any time', () => {
    check(data(4, true, 1), 6);
    check(header(FrameType.abort), 1);
  });

  test('nothing may come after the end', () => {
    const sequence = new FrameSequence();
    sequence.expect(FrameType.finish);
    sequence.advance(header(FrameType.finish), 0);
    expect(sequence.complete).toBe(true);
    expect(() => sequence.check(header(FrameType.finish), 0)).toThrow(
      expect.objectContaining({ code: 'replayed' }),
    );
  });
});

describe('the handshake', () => {
  const room = 'a'.repeat(16);
  const secret = randomBytes(16);
  const input = { secret, room, descriptions: ['offer', 'answer'] };

  test('names a mistyped link, and covers no key by its proof', async () => {
    const sender = await SenderHandshake.create({ ...input, secret: randomBytes(16) });
    const receiver = new ReceiverHandshake(input);
    await expect(receiver.handleHello(await sender.hello())).rejects.toMatchObject({ code: 'wrong_secret' });
    expect(await linkProof(secret, 'sender', room)).not.toEqual(await linkProof(secret, 'receiver', room));
  });

  test('fails if the sides saw other session descriptions', async () => {
    const sender = await SenderHandshake.create(input);
    const receiver = new ReceiverHandshake({ ...input, descriptions: ['offer', 'changed'] });
    const confirm = await sender.handleReply(await receiver.handleHello(await sender.hello()));
    await expect(receiver.handleConfirmation(confirm)).rejects.toMatchObject({ code: 'key_exchange' });
  });

  test('refuses another version, a message out of order, and reports an abort', async () => {
    const sender = await SenderHandshake.create(input);
    const hello = await sender.hello();
    const fresh = () => new ReceiverHandshake(input);
    await expect(fresh().handleHello(hello.with(1, 3) as Bytes)).rejects.toMatchObject({
      code: 'bad_version',
    });
    await expect(fresh().handleHello(hello.slice(0, -1))).rejects.toMatchObject({ code: 'malformed' });
    await expect(fresh().handleConfirmation(new Uint8Array(33).with(0, 3) as Bytes)).rejects.toMatchObject({
      code: 'malformed',
    });
    await expect(sender.handleReply(Uint8Array.of(15, 5))).rejects.toMatchObject({
      code: 'wrong_secret',
      side: 'other',
    });
  });
});
