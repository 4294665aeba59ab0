/**
 * What a tab keeps of its transfer, so that a reload or a discarded tab can resume it: in session storage, which no
 * other tab reads. It is erased when the transfer ends.
 */

import type { StoredTransfer } from '../types';
import { parseLink } from '../protocol/link';
import { parseObject, type Role } from '../protocol/wire';
import { keepInTab, tabStorage } from '../tabStorage';

const KEY = 'tallow.transfer';
/** A state is written at most this often while files arrive. */
const SAVE_EVERY_MS = 500;

export interface TransferState {
  readonly role: Role;
  /** The link, with the secret. */
  readonly link: string;
  /** The room of this transfer, once joined: one of the link's. */
  room: string | null;
  rejoinKey: string | null;
  /** SHA-256 of the manifest, in hexadecimal digits. */
  manifest: string | null;
  /** Sender: the time of folders and texts in the manifest, in milliseconds since the epoch. */
  preparedAt: number | null;
  /** Sender: whether the outcome was reported; a resumed transfer is not counted again. */
  counted: boolean;
  /** Receiver: whether the person has accepted. */
  confirmed: boolean;
  /** Receiver: complete files, one bit each. */
  done: string;
}

export class StateStore {
  private savedAt = -Infinity;

  constructor(readonly state: TransferState) {}

  /** The state of this tab's transfer, if it is the same one; otherwise a new state. */
  static open(role: Role, link: string): StateStore {
    const stored = readState();
    if (stored !== null && stored.role === role && stored.link === link) return new StateStore(stored);
    return new StateStore({
      role,
      link,
      room: null,
      rejoinKey: null,
      manifest: null,
      preparedAt: null,
      counted: false,
      confirmed: false,
      done: '',
    });
  }

  save(): void {
    this.savedAt = performance.now();
    keepInTab(KEY, JSON.stringify(this.state)); // if it cannot, this page can resume, and a reloaded one starts anew
  }

  /** Saves, unless it was done just before; `update` brings the state up to date. */
  saveSometimes(update: (state: TransferState) => void): void {
    if (performance.now() - this.savedAt < SAVE_EVERY_MS) return;
    update(this.state);
    this.save();
  }

  /** Erases what is kept of this transfer, unless another one has replaced it. */
  erase(): void {
    if (readState()?.link === this.state.link) tabStorage()?.removeItem(KEY);
  }
}

/** The transfer of this tab that a reload interrupted; null if there is none. */
export function storedTransfer(): StoredTransfer | null {
  const stored = readState();
  return stored && { role: stored.role, link: stored.link, accepted: stored.confirmed };
}

function readState(): TransferState | null {
  const found = parseObject(tabStorage()?.getItem(KEY) ?? '');
  if (found === null) return null;
  const { role, link, room, rejoinKey, manifest, preparedAt, counted, confirmed, done } = found;
  const isValid =
    (role === 'sender' || role === 'receiver') &&
    typeof link === 'string' &&
    parseLink(link, '') !== null &&
    [room, rejoinKey, manifest].every((text) => text === null || typeof text === 'string') &&
    (preparedAt === null || typeof preparedAt === 'number') &&
    typeof counted === 'boolean' &&
    typeof confirmed === 'boolean' &&
    typeof done === 'string';
  return isValid ? (found as unknown as TransferState) : null;
}
