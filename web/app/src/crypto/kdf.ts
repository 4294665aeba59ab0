/** Key derivation with HKDF-SHA256 (RFC 5869), HMAC, and the hash of the transcript. */

import { type Bytes, concat, copy, encodeFields, uint32, utf8 } from './bytes';
import { PROTOCOL_VERSION, type Role } from '../protocol/wire';

const PREFIX = 'tallow/2 ';
export const SECRET_BYTES = 16;

/** Derives `length` bytes for one purpose. The HKDF `info` is `tallow/2 ` and the label. */
export async function derive(
  material: Bytes,
  label: string,
  length = 32,
  salt: Bytes = new Uint8Array(0),
): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8(PREFIX + label) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, length * 8));
}

export async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message));
}

export async function sha256(message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', message));
}

/** The token that admits a peer to a room. The server stores only its SHA-256. */
export function joinToken(secret: Bytes): Promise<Bytes> {
  return derive(secret, 'join token');
}

/** Names what one transfer of a link leaves on the receiver's disk. `room` is the transfer's room. */
export function resumeKey(secret: Bytes, room: string): Promise<Bytes> {
  return derive(secret, 'resume', 16, utf8(room));
}

/**
 * Proves that a side has the link. It covers no public key, on purpose: otherwise a changed key would look
 * like a mistyped link. The key confirmation protects the keys.
 */
export async function linkProof(secret: Bytes, role: Role, room: string): Promise<Bytes> {
  const fields = [Uint8Array.of(PROTOCOL_VERSION), utf8(role), utf8(room)];
  return hmac(await derive(secret, 'link confirmation'), encodeFields(fields));
}

/** SHA-256 of everything that both sides must have seen alike. */
export function transcriptHash(
  room: string,
  sender: readonly Bytes[],
  receiver: readonly Bytes[],
  descriptions: readonly string[],
): Promise<Bytes> {
  const fields = [
    utf8(`${PREFIX}transcript`),
    Uint8Array.of(PROTOCOL_VERSION),
    utf8(room),
    utf8('sender'),
    ...sender,
    utf8('receiver'),
    ...receiver,
    uint32(descriptions.length),
    ...descriptions.map(utf8),
  ];
  return sha256(encodeFields(fields));
}

export interface SessionKeys {
  readonly transferId: Bytes;
  readonly sendKey: Bytes;
  readonly receiveKey: Bytes;
}

/**
 * Derives all keys of one connection. The salt is the transcript hash: if any message was changed, the two
 * sides derive unrelated keys.
 */
export class KeySchedule {
  private constructor(
    private readonly material: Bytes,
    private readonly transcript: Bytes,
  ) {}

  static create(exchanged: Bytes, kem: Bytes, secret: Bytes, transcript: Bytes): KeySchedule {
    return new KeySchedule(concat(exchanged, kem, secret), copy(transcript));
  }

  /** A side's key confirmation. */
  async confirmation(role: Role): Promise<Bytes> {
    return hmac(await this.key(`${role} confirmation`), this.transcript);
  }

  async sessionKeys(role: Role): Promise<SessionKeys> {
    const [transferId, sender, receiver] = await Promise.all([
      this.key('transfer', 16),
      this.key('sender data'),
      this.key('receiver data'),
    ]);
    return role === 'sender'
      ? { transferId, sendKey: sender, receiveKey: receiver }
      : { transferId, sendKey: receiver, receiveKey: sender };
  }

  private key(label: string, length = 32): Promise<Bytes> {
    return derive(this.material, label, length, this.transcript);
  }
}
