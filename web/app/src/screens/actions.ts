/** What the screens' buttons do: sessions of the engine, with reports, notifications and a lit screen. */
import {
  createSend,
  openLink,
  storedTransfer,
  type SendItem,
  type Session,
  type SessionOptions,
} from '../engine';
import { stripItems } from '../metadata/strip';
import { notify } from '../pwa/notifications';
import { settings } from '../settings/settings';
import { removeReceived, StorageSink } from '../sinks';
import { mayCollect } from '../telemetry/optOut';
import { Reporter } from '../telemetry/reporter';
import { count, countFeature } from '../telemetry/usage';
import type { Actions } from './App';
import type { SinkChoice, Transfer } from './transfer';

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

  startSend(items) {
    for (const feature of featuresOf(items)) void countFeature(feature);
    const session = createSend([...items], sessionOptions());
    return watched({ role: 'sender', session, reporter: new Reporter(session) });
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
    if (transfer.role === 'receiver' && transfer.choice?.sink instanceof StorageSink)
      void removeReceived(true);
  },
};

function accept(transfer: Transfer & { role: 'receiver' }, choice: SinkChoice): void {
  transfer.choice = choice;
  transfer.session.accept(choice.sink);
}

/** Goes on with the transfer that a reload of this tab interrupted. What arrived is in the browser's storage. */
export function resumeStored(): Transfer | null {
  const stored = storedTransfer();
  if (stored?.role !== 'receiver') return null;
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
