import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../i18n';
import { Icon } from './Icon';
import { LinkPanel } from './LinkPanel';
import { OfferPanel } from './OfferPanel';
import { ProgressPanel, TransferDetails } from './ProgressPanel';
import { ReselectionPanel } from './ReselectionPanel';
import { SavedPanel } from './SavedPanel';
import { asksForFiles, isRetryable, isRunning, type SinkChoice, type Transfer } from './transfer';
import { useSession } from './useSession';
import { endOf, isPreparing, titleOf } from './wording';

interface TransferScreenProps {
  readonly transfer: Transfer;
  readonly onAccept: (choice: SinkChoice) => void;
  readonly onNew: () => void;
}

/** One transfer from its link to its end, on either side. */
export function TransferScreen({ transfer, onAccept, onNew }: TransferScreenProps) {
  const { session } = transfer;
  useSession(session);
  useSession(transfer.role === 'sender' ? transfer.reselection : null);
  const heading = useRef<HTMLHeadingElement>(null);
  const title = titleOf(transfer);
  useEffect(() => {
    document.title = `${title} – ${texts.appName}`;
    heading.current?.focus();
  }, [title]);
  return (
    <section class={`card state-${session.state}`} data-state={session.state} data-role={transfer.role}>
      {/* A new element for each title: a screen reader reads what takes the focus, not what changes under it. */}
      <h1 key={title} ref={heading} tabIndex={-1}>
        {session.state === 'done' && <Icon name="check" />}
        {session.state === 'failed' && <Icon name="warning" />}
        {title}
      </h1>
      <Body transfer={transfer} onAccept={onAccept} />
      <Actions transfer={transfer} onNew={onNew} />
      <TransferDetails session={session} />
    </section>
  );
}

type BodyProps = Pick<TransferScreenProps, 'transfer' | 'onAccept'>;

function Body({ transfer, onAccept }: BodyProps) {
  const { session } = transfer;
  if (transfer.role === 'sender' && transfer.reselection && asksForFiles(transfer))
    return <ReselectionPanel reselection={transfer.reselection} />;
  switch (session.state) {
    case 'connecting':
      return <Waiting transfer={transfer} />;
    case 'waiting':
      return transfer.role === 'sender' && transfer.session.link ? (
        <SenderWaiting link={transfer.session.link} transfer={transfer} />
      ) : (
        <>
          <p class="lead">{texts.state.waitingReceiverLead}</p>
          <Waiting transfer={transfer} />
        </>
      );
    case 'confirming':
      return transfer.role === 'receiver' && transfer.session.manifest ? (
        <OfferPanel session={transfer.session} offered={transfer.session.manifest} onAccept={onAccept} />
      ) : (
        <Waiting transfer={transfer} />
      );
    case 'transferring':
      return <ProgressPanel progress={session.progress} isInterrupted={false} />;
    case 'interrupted':
      return (
        <>
          <p>{texts.state.interruptedLead}</p>
          <ProgressPanel progress={session.progress} isInterrupted />
        </>
      );
    case 'done':
      return transfer.role === 'sender' ? (
        <p>{endOf(transfer)}</p>
      ) : (
        <>
          <p>{endOf(transfer)}</p>
          <SavedPanel session={transfer.session} choice={transfer.choice} />
        </>
      );
    default:
      return <Ended transfer={transfer} />;
  }
}

const Waiting = ({ transfer }: { transfer: Transfer }) => (
  <progress class="waiting" aria-label={titleOf(transfer)} />
);

function SenderWaiting({ link, transfer }: { link: string; transfer: Transfer }) {
  const { progress } = transfer.session;
  const preparing = isPreparing(transfer);
  return (
    <>
      <p class="lead">{texts.link.lead}</p>
      <LinkPanel link={link} />
      <p class="faint">{preparing ? texts.state.preparing : texts.state.waitingSender}</p>
      {preparing && (
        <progress aria-label={texts.state.preparing} max={progress.total} value={progress.bytes} />
      )}
    </>
  );
}

function Ended({ transfer }: { transfer: Transfer }) {
  const { error } = transfer.session;
  if (!error) return <p>{endOf(transfer)}</p>;
  return (
    <div>
      <p data-error={error.code}>{endOf(transfer)}</p>
      {error.side !== 'here' && <p class="faint">{texts.errorSide[error.side]}</p>}
    </div>
  );
}

function Actions({ transfer, onNew }: Pick<TransferScreenProps, 'transfer' | 'onNew'>) {
  const { session } = transfer;
  const asks = transfer.role === 'receiver' && session.state === 'confirming';
  if (asks) return null; // the offer has its own answers
  return (
    <div class="row actions">
      {session.state === 'interrupted' && !asksForFiles(transfer) && (
        <button type="button" class="primary" onClick={() => session.resume()}>
          {texts.action.resume}
        </button>
      )}
      {isRetryable(session) && (
        <button type="button" class="primary" onClick={() => session.resume()}>
          {session.state === 'cancelled' ? texts.action.resume : texts.action.retry}
        </button>
      )}
      {isRunning(transfer) ? (
        <button type="button" onClick={() => void session.cancel()}>
          {texts.action.cancel}
        </button>
      ) : (
        <button type="button" class={session.state === 'done' ? 'primary' : ''} onClick={onNew}>
          {texts.action.another}
        </button>
      )}
    </div>
  );
}
