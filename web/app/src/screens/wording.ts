/** What a transfer is called in each of its states, on each side. */
import type { SessionState } from '../types';
import { errorText, texts } from '../i18n';
import { asksForFiles, type Transfer } from './transfer';

const TITLES: Readonly<Record<'sender' | 'receiver', Readonly<Record<SessionState, string>>>> = {
  sender: {
    connecting: texts.state.connecting,
    waiting: texts.link.title,
    confirming: texts.state.confirmingSender,
    transferring: texts.state.transferringSend,
    interrupted: texts.state.interrupted,
    done: texts.state.doneSend,
    failed: texts.state.failed,
    cancelled: texts.state.cancelled,
  },
  receiver: {
    connecting: texts.state.connecting,
    waiting: texts.state.waitingReceiver,
    confirming: texts.receive.offered,
    transferring: texts.state.transferringReceive,
    interrupted: texts.state.interrupted,
    done: texts.state.doneReceive,
    failed: texts.state.failed,
    cancelled: texts.state.cancelled,
  },
};

/** The heading of a transfer's screen. */
export function titleOf(transfer: Transfer): string {
  const { session, role } = transfer;
  if (asksForFiles(transfer)) return texts.reselect.title;
  if (session.state === 'cancelled' && session.error?.code === 'peer_stopped') return texts.state.stopped;
  if (role === 'receiver' && session.state === 'confirming' && session.manifest?.isText)
    return texts.receive.offeredText;
  return TITLES[role][session.state];
}

/** How a transfer ended, and what to do; empty before its end. */
export function endOf({ role, session: { state, error } }: Transfer): string {
  if (state === 'done') return role === 'sender' ? texts.state.doneSendLead : texts.state.doneReceiveLead;
  if (state !== 'failed' && state !== 'cancelled') return '';
  if (error) return errorText(error.code, role);
  return state === 'cancelled' ? texts.state.cancelledLead : texts.error.internal;
}

/** Whether the sender still reads its files while it waits. */
export const isPreparing = ({ session: { progress } }: Transfer): boolean =>
  progress.phase === 'preparing' && progress.total > 0 && progress.bytes < progress.total;
