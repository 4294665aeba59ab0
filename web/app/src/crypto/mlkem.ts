/** ML-KEM-768 (FIPS 203): WebCrypto where it is available, otherwise @noble/post-quantum, loaded when it is needed. */

import { type Bytes, copy } from './bytes';
import { ProtocolError } from './errors';

export const ENCAPSULATION_KEY_BYTES = 1184;
export const CIPHERTEXT_BYTES = 1088;

export interface DecapsulationKey {
  readonly encapsulationKey: Bytes;
  /** Rejects implicitly: a changed ciphertext gives another secret, and the key confirmation fails. */
  decapsulate(ciphertext: Bytes): Promise<Bytes>;
}

export interface Encapsulated {
  readonly secret: Bytes;
  readonly ciphertext: Bytes;
}

export interface Kem {
  generate(): Promise<DecapsulationKey>;
  /** Fails with `key_exchange` if the key does not pass the modulus check (FIPS 203, section 7.2). */
  encapsulate(encapsulationKey: Bytes): Promise<Encapsulated>;
}

/** The part of https://wicg.github.io/webcrypto-modern-algos/ that is used here; the DOM types lack it. */
interface ModernSubtleCrypto {
  encapsulateBits(
    algorithm: { name: string },
    key: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: { name: string }, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  importKey(
    format: 'raw-public' | 'raw-seed',
    data: Bytes,
    algorithm: { name: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
}

const ML_KEM_768 = { name: 'ML-KEM-768' };

let chosen: Promise<Kem> | null = null;

/** The implementation of this browser. */
export function kem(): Promise<Kem> {
  chosen ??= nativeKem().then((native) => native ?? fallbackKem());
  return chosen;
}

/** ML-KEM of WebCrypto; null if the browser does not have it. */
export async function nativeKem(): Promise<Kem | null> {
  const subtle = crypto.subtle as unknown as ModernSubtleCrypto;
  if (typeof subtle.encapsulateBits !== 'function') return null;
  const generate = async (): Promise<DecapsulationKey> => {
    const pair = (await crypto.subtle.generateKey(ML_KEM_768, false, [
      'encapsulateBits',
      'decapsulateBits',
    ] as unknown as KeyUsage[])) as CryptoKeyPair;
    return {
      encapsulationKey: new Uint8Array(await subtle.exportKey('raw-public', pair.publicKey)),
      decapsulate: async (ciphertext) =>
        new Uint8Array(await subtle.decapsulateBits(ML_KEM_768, pair.privateKey, ciphertext)),
    };
  };
  try {
    await generate();
  } catch {
    return null; // the functions are there without this parameter set
  }
  return {
    generate,
    encapsulate: async (encapsulationKey) => {
      try {
        const usages = ['encapsulateBits'];
        const key = await subtle.importKey('raw-public', encapsulationKey, ML_KEM_768, false, usages);
        const { sharedKey, ciphertext } = await subtle.encapsulateBits(ML_KEM_768, key);
        return { secret: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
      } catch {
        throw new ProtocolError('key_exchange');
      }
    },
  };
}

/** ML-KEM of @noble/post-quantum. Only tests pass a seed (64 bytes). */
export async function fallbackKem(seed?: Bytes): Promise<Kem> {
  const { ml_kem768 } = await import('@noble/post-quantum/ml-kem.js');
  return {
    generate: async () => {
      const pair = ml_kem768.keygen(seed);
      return {
        encapsulationKey: copy(pair.publicKey),
        decapsulate: async (ciphertext) => copy(ml_kem768.decapsulate(ciphertext, pair.secretKey)),
      };
    },
    encapsulate: async (encapsulationKey) => {
      try {
        const { sharedSecret, cipherText } = ml_kem768.encapsulate(encapsulationKey);
        return { secret: copy(sharedSecret), ciphertext: copy(cipherText) };
      } catch {
        throw new ProtocolError('key_exchange');
      }
    },
  };
}
