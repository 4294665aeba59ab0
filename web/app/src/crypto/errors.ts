/** Faults of received messages, and their abort codes (docs/protocol.md, "Aborts"). */

import type { ErrorCode } from '../types';

const ABORT_CODES = {
  peer_cancelled: 1,
  protocol: 2,
  malformed: 3,
  bad_version: 4,
  wrong_secret: 5,
  key_exchange: 6,
  modified: 7,
  replayed: 8,
  reordered: 9,
  wrong_file: 10,
  truncated: 11,
  hash_mismatch: 12,
  source_changed: 13,
  storage_failed: 14,
  key_exhausted: 15,
  declined: 16,
  unconfirmed: 17,
  peer_stopped: 18,
} as const satisfies Partial<Record<ErrorCode, number>>;

export type ProtocolErrorCode = keyof typeof ABORT_CODES;

/**
 * A received message violates the protocol, or the other side has aborted.
 *
 * `side` is `other` if the other side reported it. `authenticated` is false if the server, or somebody on the
 * way, can have caused it: it ends an attempt, and what is kept to resume the transfer stays.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  authenticated = true;

  constructor(
    readonly code: ProtocolErrorCode,
    readonly side: 'here' | 'other' = 'here',
  ) {
    super(code);
  }

  get abortCode(): number {
    return ABORT_CODES[this.code];
  }
}

/** After these the transfer can go on over another connection: somebody on the way can cause the faults. */
const RESUMABLE: readonly ProtocolErrorCode[] = [
  'modified',
  'replayed',
  'reordered',
  'wrong_file',
  'truncated',
  'key_exhausted',
  'peer_stopped',
];

export function isResumable(code: ProtocolErrorCode): boolean {
  return RESUMABLE.includes(code);
}

/** The error for an abort code of the other side; `protocol` for an unknown one. */
export function fromAbortCode(code: number): ProtocolError {
  const known = Object.entries(ABORT_CODES).find(([, value]) => value === code);
  return new ProtocolError((known?.[0] ?? 'protocol') as ProtocolErrorCode, 'other');
}

export function abortCode(code: ProtocolErrorCode): number {
  return ABORT_CODES[code];
}
