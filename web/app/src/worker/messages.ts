/** The messages between the page and its worker. */

import type { Fact } from '../types';
import type { ProtocolErrorCode } from '../crypto/errors';
import type { TransferCrypto } from './transferCrypto';

/** The functions of {@link TransferCrypto}; all of them are asynchronous. */
export type CryptoFunctions = { [Name in keyof TransferCrypto]: TransferCrypto[Name] };

export interface Call {
  readonly id: number;
  readonly name: keyof CryptoFunctions;
  readonly parameters: readonly unknown[];
}

export type Result = { readonly id: number; readonly facts: readonly Fact[] } & (
  | { readonly value: unknown }
  | { readonly code: ProtocolErrorCode; readonly side: 'here' | 'other' }
  | { readonly failure: string }
);

/** The buffers that values, and lists among them, hand over instead of copying them. */
export function transferable(values: readonly unknown[]): ArrayBuffer[] {
  const buffers = values
    .flat()
    .flatMap((value) =>
      value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
    );
  return [...new Set(buffers)];
}
