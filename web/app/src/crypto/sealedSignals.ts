/** Signals between the peers, encrypted so that the server carries them and cannot read or change them. */

import { type Bytes, concat, encodeFields, fromBase64url, randomBytes, toBase64url, utf8 } from './bytes';
import { derive } from './kdf';
import { otherRole, parseObject, PROTOCOL_VERSION, type Role } from '../protocol/wire';

const NONCE_BYTES = 12;

export class SignalSealer {
  private constructor(
    private readonly own: CryptoKey,
    private readonly others: CryptoKey,
  ) {}

  static async create(secret: Bytes, role: Role): Promise<SignalSealer> {
    const key = async (of: Role, usage: KeyUsage): Promise<CryptoKey> =>
      crypto.subtle.importKey('raw', await derive(secret, `${of} signals`), 'AES-GCM', false, [usage]);
    return new SignalSealer(await key(role, 'encrypt'), await key(otherRole(role), 'decrypt'));
  }

  /** Nonce, ciphertext and tag in base64url. Only tests pass a nonce. */
  async seal(
    type: string,
    attempt: string,
    channel: string,
    data: Record<string, unknown>,
    nonce = randomBytes(NONCE_BYTES),
  ): Promise<string> {
    const parameters = { name: 'AES-GCM', iv: nonce, additionalData: context(type, attempt, channel) };
    const sealed = await crypto.subtle.encrypt(parameters, this.own, utf8(JSON.stringify(data)));
    return toBase64url(concat(nonce, new Uint8Array(sealed)));
  }

  /** The data; null if the other side did not send it with this type, attempt and channel. */
  async open(
    type: string,
    attempt: string,
    channel: string,
    sealed: string,
  ): Promise<Record<string, unknown> | null> {
    const raw = fromBase64url(sealed);
    if (raw === null || raw.length <= NONCE_BYTES) return null;
    const iv = raw.subarray(0, NONCE_BYTES);
    const parameters = { name: 'AES-GCM', iv, additionalData: context(type, attempt, channel) };
    try {
      const opened = await crypto.subtle.decrypt(parameters, this.others, raw.subarray(NONCE_BYTES));
      return parseObject(new TextDecoder('utf-8', { fatal: true }).decode(opened));
    } catch {
      return null;
    }
  }
}

/** The associated data: a signal is not accepted in another place than its own. */
function context(...fields: readonly string[]): Bytes {
  return encodeFields([Uint8Array.of(PROTOCOL_VERSION), ...fields.map(utf8)]);
}
