/** What the screens' buttons do: sessions of the engine, with reports, notifications and a lit screen. */
import {
  createSend,
  openLink,
  resumeSend,
  storedTransfer,
  type SendItem,
  type Session,
  type SessionOptions,
  type StoredTransfer,
} from '../engine';
import { stripItems } from '../metadata/strip';
import { notify } from '../pwa/notifications';
import { forgetHandles, keepHandles, RestoredHandles } from '../reselection/keptHandles';
import { loseItems, Reselection } from '../reselection/reselection';
import { forgetSelection, keepSelection, selectionId, storedSelection } from '../reselection/storedSelection';
import { settings } from '../settings/settings';
import { removeReceived, StorageSink } from '../sinks';
import { mayCollect } from '../telemetry/optOut';
import { Reporter } from '../telemetry/reporter';
import { count, countFeature } from '../telemetry/usage';
import type { Actions } from './App';
import { isRunning, type SinkChoice, type Transfer } from './transfer';

export const actions: Actions = {
  async prepare(items) {
    if (settings().keep_metadata === 'on') return { items: [...items], refused: [] };
    const refused: string[] = [];
    const cleaned = await stripItems(items, (outcome, path) => {
      const status = outcome === 'stripped' ? 'success' : 'failed';
      void count('metadata_stripped_total', { file_type: 'image', status });
      if (outcome === 'failed') refused.push(path);
    });
    return { items: cleaned, refused };
  },

  startSend(items, chosen) {
    for (const feature of featuresOf(items)) void countFeature(feature);
    const id = crypto.randomUUID();
    void keepSelection(id, chosen, settings().keep_metadata === 'on');
    void keepHandles(id, chosen);
    const session = createSend([...items], sessionOptions());
    return watchedSender({ role: 'sender', session, reporter: new Reporter(session), reselection: null }, id);
  },

  openLink(link) {
    for (const feature of ['receive', ...pathFeatures()]) void countFeature(feature);
    const session = openLink(link, sessionOptions());
    return watched({ role: 'receiver', session, reporter: new Reporter(session), choice: null });
  },

  accept(transfer, choice) {
    if (transfer.role === 'receiver') accept(transfer, choice);
  },

  forget(transfer) {
    const { session, reporter } = transfer;
    if (session.canResume) void session.cancel().then(() => reporter.report(true));
    if (transfer.role === 'receiver' && transfer.choice?.sink instanceof StorageSink)
      void removeReceived(true);
  },
};

function accept(transfer: Transfer & { role: 'receiver' }, choice: SinkChoice): void {
  transfer.choice = choice;
  transfer.session.accept(choice.sink);
}

/** Goes on with the transfer that a reload of this tab interrupted. */
export async function resumeStored(): Promise<Transfer | null> {
  const stored = storedTransfer();
  if (stored === null) return null;
  return stored.role === 'sender' ? resumeSender() : resumeReceiver(stored);
}

/** The browser has closed the files of a sender: the person gives them again, or allows to open them. */
async function resumeSender(): Promise<Transfer> {
  const selection = await storedSelection();
  if (selection === null) return endLost();
  const prepare = async (items: readonly SendItem[]) =>
    selection.keepsMetadata ? items : stripItems(items, () => undefined);
  const reselection = new Reselection(selection, await RestoredHandles.load(selection.id), prepare);
  await reselection.open(false);
  const session = resumeSend(reselection.choose, sessionOptions());
  return watchedSender(
    { role: 'sender', session, reporter: new Reporter(session), reselection },
    selection.id,
  );
}

/** Joins the room once more and ends the transfer there: otherwise its receiver would wait for it. */
function endLost(): Transfer {
  const session = resumeSend(loseItems, sessionOptions());
  const transfer = { role: 'sender' as const, session, reporter: new Reporter(session), reselection: null };
  return watchedSender(transfer, selectionId() ?? '');
}

/** What arrived is in the browser's storage. */
function resumeReceiver(stored: StoredTransfer): Transfer {
  const session = openLink(stored.link, sessionOptions());
  const transfer = { role: 'receiver' as const, session, reporter: new Reporter(session), choice: null };
  if (stored.accepted) accept(transfer, { sink: new StorageSink(), picked: false });
  return watched(transfer);
}

function sessionOptions(): SessionOptions {
  return {
    path: settings().relay_preference,
    device: matchMedia('(pointer: coarse)').matches ? 'mobile' : 'desktop',
    doNotTrack: !mayCollect(),
  };
}

const pathFeatures = (): string[] => (settings().relay_preference === 'relay' ? ['relay_only'] : []);

function featuresOf(items: readonly SendItem[]): string[] {
  const files = items.filter((item) => item.kind === 'file');
  const isFolder = items.some(
    (item) => item.kind === 'folder' || (item.kind === 'file' && item.path.includes('/')),
  );
  return [
    'send',
    ...pathFeatures(),
    ...(files.length > 1 ? ['multiple_files'] : []),
    ...(isFolder ? ['folder'] : []),
    ...(items.some((item) => item.kind === 'text') ? ['text'] : []),
    ...(settings().keep_metadata === 'on' && files.length > 0 ? ['keep_metadata'] : []),
  ];
}

/** Removes what is kept for a reload when the transfer is over. `id`: of its selection. */
function watchedSender(transfer: Transfer & { role: 'sender' }, id: string): Transfer {
  const { session } = transfer;
  session.addEventListener('statechange', () => {
    if (isRunning(transfer) || session.canResume) return;
    void forgetSelection(id);
    void forgetHandles(id);
  });
  return watched(transfer);
}

/** Notifies of what a person waits for, and keeps the screen on while data flows. */
function watched<Kind extends Transfer>(transfer: Kind): Kind {
  const session: Session = transfer.session;
  let before = session.state;
  let lock: WakeLockSentinel | null = null;
  const keepAwake = async (wanted: boolean) => {
    if (!wanted) await lock?.release().catch(() => undefined);
    lock = wanted ? await (navigator.wakeLock?.request('screen').catch(() => null) ?? null) : null;
  };
  session.addEventListener('statechange', () => {
    const { state } = session;
    if (state === before) return;
    if (transfer.role === 'receiver' && state === 'confirming') void notify('transfer_request', 'request');
    if (transfer.role === 'sender' && before === 'waiting' && state !== 'cancelled')
      void notify('connection', 'joined');
    if (state === 'done') void notify('transfer_complete', 'complete');
    if (state === 'failed') void notify('connection', 'failed');
    void keepAwake(state === 'transferring');
    before = state;
  });
  return transfer;
}
