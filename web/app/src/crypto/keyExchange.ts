/** X25519 (RFC 7748): WebCrypto where it is available, otherwise @noble/curves, loaded when it is needed. */

import { type Bytes, copy } from './bytes';
import { ProtocolError } from './errors';

export const X25519_BYTES = 32;

export interface ExchangeKey {
  readonly publicKey: Bytes;
  /** The shared secret. Fails with `key_exchange` for a point of small order: no correct peer sends one. */
  exchange(other: Bytes): Promise<Bytes>;
}

export async function generateExchangeKey(): Promise<ExchangeKey> {
  return (await generateNative()) ?? generateFallback();
}

async function generateNative(): Promise<ExchangeKey | null> {
  let pair: CryptoKeyPair;
  try {
    pair = (await crypto.subtle.generateKey({ name: 'X25519' }, false, ['deriveBits'])) as CryptoKeyPair;
  } catch {
    return null; // the algorithm is not supported
  }
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const exchange = async (other: Bytes): Promise<Bytes> => {
    const imported = await crypto.subtle.importKey('raw', other, { name: 'X25519' }, false, []);
    const parameters = { name: 'X25519', public: imported };
    return new Uint8Array(await crypto.subtle.deriveBits(parameters, pair.privateKey, 256));
  };
  return { publicKey, exchange: (other) => checked(exchange(other)) };
}

/** With @noble/curves. Only tests pass a private key. */
export async function generateFallback(privateKey?: Bytes): Promise<ExchangeKey> {
  const { x25519 } = await import('@noble/curves/ed25519.js');
  const own = privateKey ?? x25519.utils.randomSecretKey();
  const exchange = async (other: Bytes): Promise<Bytes> => copy(x25519.getSharedSecret(own, other));
  return { publicKey: copy(x25519.getPublicKey(own)), exchange: (other) => checked(exchange(other)) };
}

async function checked(exchanging: Promise<Bytes>): Promise<Bytes> {
  const shared = await exchanging.catch(() => null);
  if (shared === null || shared.every((byte) => byte === 0)) throw new ProtocolError('key_exchange');
  return shared;
}
