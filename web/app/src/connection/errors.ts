/** Errors of the way to the server and to the other side. */

import type { ErrorCode, SessionError } from '../types';
import { isResumable, ProtocolError } from '../crypto/errors';

/** A channel could not be opened, or was lost. A retry may succeed. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError';
  constructor(
    readonly code: ErrorCode = 'no_connection',
    readonly closed = false,
  ) {
    super(code);
  }
}

/** The other side does not use this type of channel. */
export class ChannelRefusedError extends ChannelError {}

/** A channel or signaling was closed by either side. */
export function channelClosed(): ChannelError {
  return new ChannelError('connection_lost', true);
}

/** The server cannot be reached now. A retry may succeed. */
export class ServerConnectionError extends Error {
  override readonly name = 'ServerConnectionError';
}

const REFUSALS: Readonly<Record<string, ErrorCode>> = {
  unknown_room: 'unknown_room',
  role_taken: 'role_taken',
  expired: 'expired',
  bad_version: 'bad_version',
  rate_limited: 'rate_limited',
  taken_over: 'taken_over',
};
const RETRYABLE: readonly string[] = ['internal', 'timeout', 'rate_limited'];

/** The server refuses. */
export class ServerRefusedError extends Error {
  override readonly name = 'ServerRefusedError';
  constructor(readonly reason: string) {
    super(reason);
  }

  get code(): ErrorCode {
    return REFUSALS[this.reason] ?? 'server_failed';
  }

  get isTransient(): boolean {
    return RETRYABLE.includes(this.reason);
  }
}

/** `stopped`: it left with an outcome, and can come back. */
const DEPARTURES: Readonly<Record<string, ErrorCode>> = {
  cancelled: 'peer_cancelled',
  stopped: 'peer_stopped',
};

/** The server reports that the other side has left with an outcome. Nobody else confirms it. */
export class DepartureError extends Error {
  override readonly name = 'DepartureError';
  constructor(readonly outcome: string) {
    super(outcome);
  }
}

/** A person or the system here ends the transfer; the other side gets the abort code of `reason`. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  constructor(
    readonly code: ErrorCode,
    readonly reason: ProtocolError['code'] = 'protocol',
  ) {
    super(code);
  }
}

/** Whether a retry may succeed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ServerRefusedError) return error.isTransient;
  return error instanceof ChannelError || error instanceof ServerConnectionError;
}

/** Whether an error is this side's own or the authenticated other side's: nobody on the way can cause it at will. */
export function isAuthenticated(error: unknown): boolean {
  if (error instanceof ProtocolError) return error.authenticated && !isResumable(error.code);
  return !(error instanceof DepartureError || error instanceof ServerRefusedError);
}

/** The abort code for the other side. */
export function reasonOf(error: unknown): ProtocolError['code'] {
  if (error instanceof ProtocolError) return error.code;
  return error instanceof LocalError ? error.reason : 'protocol';
}

/** What the screens show. */
export function toSessionError(error: unknown): SessionError {
  if (error instanceof ProtocolError) {
    const isReported = error.side === 'other' && !error.authenticated;
    return { code: error.code, side: isReported ? 'server' : error.side };
  }
  if (error instanceof ServerRefusedError) return { code: error.code, side: 'server' };
  if (error instanceof ServerConnectionError) return { code: 'server_unreachable', side: 'here' };
  if (error instanceof DepartureError) {
    return { code: DEPARTURES[error.outcome] ?? 'peer_gave_up', side: 'server' };
  }
  if (error instanceof ChannelError || error instanceof LocalError) return { code: error.code, side: 'here' };
  return { code: 'internal', side: 'here' };
}
