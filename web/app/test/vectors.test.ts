/** The test vectors of docs/protocol.md, which the Python implementation computes too. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { type Bytes, fromHex, toHex, utf8 } from '../src/crypto/bytes';
import { FrameCipher, type FrameType } from '../src/crypto/frames';
import { ReceiverHandshake, SenderHandshake } from '../src/crypto/handshake';
import { joinToken, type SessionKeys, sha256 } from '../src/crypto/kdf';
import { generateExchangeKey, generateFallback } from '../src/crypto/keyExchange';
import { fallbackKem } from '../src/crypto/mlkem';
import { SignalSealer } from '../src/crypto/sealedSignals';
import { linkText, parseLink } from '../src/protocol/link';

interface FrameVector {
  kind: FrameType;
  file: number;
  index: number;
  final: boolean;
  payload: string;
  frame: string;
}

const file = new URL('../../../tests/app/crypto/vectors.json', import.meta.url);
const { inputs, expected } = JSON.parse(readFileSync(file, 'utf8'));
const bytes = (hex: string): Bytes => fromHex(hex)!;
const secret = bytes(inputs.secret);
const handshakeInput = { secret, room: inputs.room, descriptions: inputs.descriptions };

async function handshakes(): Promise<[SenderHandshake, ReceiverHandshake]> {
  const kem = await fallbackKem(bytes(inputs.sender_mlkem768_seed));
  const encapsulated = { secret: bytes(inputs.kem_shared_secret), ciphertext: bytes(inputs.kem_ciphertext) };
  const sender = await SenderHandshake.create(handshakeInput, {
    exchangeKey: await generateFallback(bytes(inputs.sender_x25519)),
    kem,
  });
  const receiver = new ReceiverHandshake(handshakeInput, {
    exchangeKey: await generateFallback(bytes(inputs.receiver_x25519)),
    kem: { generate: kem.generate, encapsulate: async () => encapsulated },
  });
  return [sender, receiver];
}

async function exchangedKeys(): Promise<[SessionKeys, SessionKeys]> {
  const [sender, receiver] = await handshakes();
  const confirm = await sender.handleReply(await receiver.handleHello(await sender.hello()));
  const { confirmation, keys } = await receiver.handleConfirmation(confirm);
  return [await sender.handleConfirmation(confirmation), keys];
}

test('the link and the join token', async () => {
  const link = parseLink(expected.link, 'https://other.example')!;
  expect(link).toEqual({ server: inputs.server, room: inputs.room, secret });
  expect(linkText(link)).toBe(expected.link);
  const token = await joinToken(secret);
  expect(toHex(token)).toBe(expected.join_token);
  expect(toHex(await sha256(utf8('')))).toMatch(/^e3b0c442/);
  expect(toHex(await sha256(token))).toBe(expected.token_hash);
});

test('every message of the handshake', async () => {
  const [sender, receiver] = await handshakes();
  const hello = await sender.hello();
  expect(toHex(hello)).toBe(expected.hello);
  const reply = await receiver.handleHello(hello);
  expect(toHex(reply)).toBe(expected.reply);
  const confirm = await sender.handleReply(reply);
  expect(toHex(confirm)).toBe(expected.sender_confirm);
  const { confirmation } = await receiver.handleConfirmation(confirm);
  expect(toHex(confirmation)).toBe(expected.receiver_confirm);
});

test('the keys of both roles', async () => {
  const [sender, receiver] = await exchangedKeys();
  expect(toHex(sender.transferId)).toBe(expected.transfer);
  expect([toHex(sender.sendKey), toHex(sender.receiveKey)]).toEqual([
    expected.sender_key,
    expected.receiver_key,
  ]);
  expect([toHex(receiver.sendKey), toHex(receiver.receiveKey)]).toEqual([
    expected.receiver_key,
    expected.sender_key,
  ]);
});

test('the frames of both roles', async () => {
  const [senderKeys, receiverKeys] = await exchangedKeys();
  const sides: [SessionKeys, SessionKeys, FrameVector[]][] = [
    [senderKeys, receiverKeys, expected.sender_frames],
    [receiverKeys, senderKeys, expected.receiver_frames],
  ];
  for (const [keys, otherKeys, frames] of sides) {
    const [own, other] = [await FrameCipher.create(keys), await FrameCipher.create(otherKeys)];
    for (const { kind, file, index, final, payload, frame } of frames) {
      const sealed = await own.seal({ type: kind, file, index, final }, bytes(payload));
      expect(toHex(sealed)).toBe(frame);
      expect(toHex(await other.open(sealed))).toBe(payload);
    }
  }
});

test('a sealed offer', async () => {
  const [sender, receiver] = [
    await SignalSealer.create(secret, 'sender'),
    await SignalSealer.create(secret, 'receiver'),
  ];
  const data = { addresses: [['192.0.2.7', 4242]] };
  const attempt = '00'.repeat(8);
  const nonce = new Uint8Array(12).fill(0x66);
  const sealed = await sender.seal('offer', attempt, 'tcp', data, nonce);
  expect(sealed).toBe(expected.sealed_offer);
  expect(await receiver.open('offer', attempt, 'tcp', sealed)).toEqual(data);
  expect(await receiver.open('answer', attempt, 'tcp', sealed)).toBeNull();
  expect(await sender.open('offer', attempt, 'tcp', sealed)).toBeNull();
});

describe('key exchange of the platform', () => {
  test('agrees with the fallback', async () => {
    const [platform, fallback] = [await generateExchangeKey(), await generateFallback()];
    expect(await platform.exchange(fallback.publicKey)).toEqual(await fallback.exchange(platform.publicKey));
  });

  test.each(['platform', 'fallback'])('the %s refuses a point of small order', async (name) => {
    const key = name === 'platform' ? await generateExchangeKey() : await generateFallback();
    await expect(key.exchange(new Uint8Array(32))).rejects.toMatchObject({ code: 'key_exchange' });
  });

  test('an encapsulation key that fails the modulus check is refused', async () => {
    const kem = await fallbackKem();
    const invalid = new Uint8Array(1184).fill(255);
    await expect(kem.encapsulate(invalid)).rejects.toMatchObject({ code: 'key_exchange' });
  });
});
