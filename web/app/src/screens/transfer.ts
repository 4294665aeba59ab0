/** A running transfer with what the screens keep beside its session. */
import type { ErrorCode, ReceiveSession, SendSession, Sink } from '../types';
import type { Reporter } from '../telemetry/reporter';

export interface SinkChoice {
  readonly sink: Sink;
  /** The person chose the place. */
  readonly picked: boolean;
}

export type Transfer =
  | { readonly role: 'sender'; readonly session: SendSession; readonly reporter: Reporter }
  | {
      readonly role: 'receiver';
      readonly session: ReceiveSession;
      readonly reporter: Reporter;
      choice: SinkChoice | null;
    };

const ENDED = new Set(['done', 'failed', 'cancelled']);

export const isRunning = (transfer: Transfer | null): boolean =>
  transfer !== null && !ENDED.has(transfer.session.state);

/** Failures after which the same link can be tried again. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'rate_limited',
  'server_failed',
  'server_unreachable',
  'no_connection',
  'connection_lost',
  'peer_timeout',
  'peer_gave_up',
  'peer_stopped',
  'key_exhausted',
  'modified',
  'replayed',
  'reordered',
  'wrong_file',
  'truncated',
  'storage_failed',
  'storage_full',
  'internal',
]);

export const isRetryable = (code: ErrorCode): boolean => RETRYABLE.has(code);
