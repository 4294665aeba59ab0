import { useEffect, useState } from 'preact/hooks';
import { percent, texts } from '../i18n';
import { asksForFiles, type Transfer } from './transfer';
import { endOf, isPreparing, titleOf } from './wording';

interface AnnouncerProps {
  readonly transfer: Transfer | null;
  /** Whether the screen shows the transfer. Its heading then takes the focus. */
  readonly isShown: boolean;
}

/**
 * Tells a screen reader what its focus does not: how far the transfer is, and how it ended.
 *
 * It is always in the page, since screen readers miss the content of a live region that appears with it.
 */
export function Announcer({ transfer, isShown }: AnnouncerProps) {
  const words = transfer ? (isShown ? besideHeading(transfer) : fromOtherScreen(transfer)) : '';
  const [told, tell] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => tell(words), AFTER_HEADING_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <p class="visually-hidden" role="status">
      {told}
    </p>
  );
}

/** The focus moves to a new heading first: a move of the focus cuts off what a screen reader speaks. */
const AFTER_HEADING_MS = 200;

function besideHeading(transfer: Transfer): string {
  const { state } = transfer.session;
  if (asksForFiles(transfer)) return '';
  if (state === 'waiting' && transfer.role === 'sender')
    return isPreparing(transfer) ? texts.state.preparing : texts.state.waitingSender;
  if (state === 'transferring') return quarterOf(transfer);
  if (state === 'interrupted') return texts.state.interruptedLead;
  return endOf(transfer);
}

function fromOtherScreen(transfer: Transfer): string {
  if (transfer.session.state === 'transferring') return quarterOf(transfer);
  const end = endOf(transfer);
  return end ? `${titleOf(transfer)}. ${end}` : titleOf(transfer);
}

const QUARTERS = 4;

/** Only quarters are told: a screen reader speaks each change. Nothing at the beginning, and the end has its words. */
function quarterOf({ session: { progress } }: Transfer): string {
  const passed = Math.floor((QUARTERS * progress.bytes) / Math.max(progress.total, 1));
  return passed > 0 && passed < QUARTERS ? percent(passed / QUARTERS) : '';
}
