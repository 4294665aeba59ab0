/** A running transfer with what the screens keep beside its session. */
import type { ErrorCode, ReceiveSession, SendSession, Session, Sink } from '../types';
import type { Reselection } from '../reselection/reselection';
import type { Reporter } from '../telemetry/reporter';

export interface SinkChoice {
  readonly sink: Sink;
  /** The person chose the place. */
  readonly picked: boolean;
}

export type Transfer =
  | {
      readonly role: 'sender';
      readonly session: SendSession;
      readonly reporter: Reporter;
      /** The files of a transfer that goes on after a reload. */
      readonly reselection: Reselection | null;
    }
  | {
      readonly role: 'receiver';
      readonly session: ReceiveSession;
      readonly reporter: Reporter;
      choice: SinkChoice | null;
    };

const ENDED = new Set(['done', 'failed', 'cancelled']);

export const isRunning = (transfer: Transfer | null): boolean =>
  transfer !== null && !ENDED.has(transfer.session.state);

/** Ends after which the same link can be tried again, if the session can go on. */
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
]);

/** Whether the person is offered another try. After a final refusal of the server it would be in vain. */
export const isRetryable = ({ canResume, error }: Session): boolean =>
  canResume && error !== null && RETRYABLE.has(error.code);

/** Whether the person has to give the files again. */
export const asksForFiles = (transfer: Transfer): boolean =>
  transfer.role === 'sender' && isRunning(transfer) && (transfer.reselection?.isOpen ?? false);
