/**
 * The transfer engine as the screens use it: no screen, no style, no network address of its own. The types of the
 * sessions are in `types.ts`.
 */

import { parseLink } from './protocol/link';
import { Receiver } from './transfer/receiveSession';
import { Sender } from './transfer/sendSession';
import type { TransferSession } from './transfer/session';

import type { ChooseItems, ReceiveSession, SendItem, SendSession, SessionOptions } from './types';

export * from './types';
export { storedTransfer } from './transfer/storedState';

/** Sends files, folders or one text. The session starts at once. */
export function createSend(items: readonly SendItem[], options: SessionOptions = {}): SendSession {
  return started(new Sender(async () => items, options, false));
}

/**
 * Continues the transfer of this tab that a reload interrupted. It joins its room at once and waits there for the
 * files, which `choose` gives: the same ones in the same order.
 */
export function resumeSend(choose: ChooseItems, options: SessionOptions = {}): SendSession {
  return started(new Sender(choose, options, true));
}

/** Receives what a link, or its part after `#`, stands for. The session starts at once. */
export function openLink(link: string, options: SessionOptions = {}): ReceiveSession {
  const server = options.server ?? globalThis.location?.origin ?? '';
  return started(new Receiver(parseLink(link, server), options));
}

function started<S extends TransferSession>(session: S): S {
  queueMicrotask(() => session.start()); // the caller adds its listeners first
  return session;
}
