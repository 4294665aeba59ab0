/** What a transfer counts as in the telemetry report. */

import type { Fact, SessionError } from '../types';
import type { Outcome, TransferMethod } from '../protocol/wire';

const SIZE_CATEGORIES = [
  [1e6, 'under_1mb'],
  [1e7, '1mb_10mb'],
  [1e8, '10mb_100mb'],
  [1e9, '100mb_1gb'],
  [Infinity, 'over_1gb'],
] as const;
const FILE_TYPES = ['image', 'video', 'audio', 'text', 'application'];

/** Labels `type` and `severity` of `errors_total`; all others are the network's. */
const ERROR_TYPES: Partial<Record<SessionError['code'], readonly [string, string]>> = {
  wrong_secret: ['auth', 'high'],
  unknown_room: ['auth', 'medium'],
  role_taken: ['auth', 'medium'],
  taken_over: ['auth', 'medium'],
  expired: ['signaling', 'medium'],
  server_failed: ['signaling', 'medium'],
  rate_limited: ['signaling', 'medium'],
  bad_version: ['validation', 'medium'],
  malformed: ['validation', 'high'],
  key_exchange: ['crypto', 'high'],
  protocol: ['crypto', 'high'],
  modified: ['crypto', 'high'],
  replayed: ['crypto', 'high'],
  reordered: ['crypto', 'high'],
  wrong_file: ['crypto', 'high'],
  truncated: ['crypto', 'high'],
  key_exhausted: ['crypto', 'high'],
  hash_mismatch: ['transfer', 'high'],
  source_changed: ['transfer', 'medium'],
  source_unreadable: ['storage', 'high'],
  storage_failed: ['storage', 'high'],
  storage_full: ['storage', 'high'],
  file_too_large: ['storage', 'medium'],
  selection_lost: ['storage', 'medium'],
  other_files: ['validation', 'low'],
  too_many_files: ['validation', 'low'],
  nothing_to_send: ['validation', 'low'],
  peer_gave_up: ['transfer', 'medium'],
  unsupported_browser: ['internal', 'medium'],
  worker_failed: ['internal', 'high'],
  internal: ['internal', 'high'],
};

export interface FinishedTransfer {
  readonly outcome: Outcome;
  readonly method: TransferMethod;
  readonly bytes: number;
  readonly seconds: number;
  readonly contents: readonly Blob[];
}

/** The end of a transfer, which the sender reports once. */
export function transferFacts({ outcome, method, bytes, seconds, contents }: FinishedTransfer): Fact[] {
  const size_category = SIZE_CATEGORIES.find(([edge]) => bytes < edge)![1];
  const facts: Fact[] = [
    { metric: 'transfers_total', labels: { status: outcome, method }, value: 1 },
    { metric: 'transfer_duration_seconds', labels: { status: outcome, size_category }, observed: seconds },
  ];
  for (const { size, type } of contents) {
    const found = type.split('/')[0]!;
    const file_type = FILE_TYPES.includes(found) ? found : 'other';
    facts.push({ metric: 'file_size_bytes', labels: { file_type }, observed: size });
  }
  if (outcome === 'success' && seconds > 0) {
    const observed = (bytes * 8) / seconds / 1e6;
    facts.push({ metric: 'transfer_speed_mbps', labels: { method }, observed });
  }
  return facts;
}

/** The error that ended a transfer. A cancelled transfer counts no error. */
export function errorFact(error: SessionError): Fact {
  const [type, severity] = ERROR_TYPES[error.code] ?? ['network', 'medium'];
  return { metric: 'errors_total', labels: { type, severity }, value: 1 };
}
