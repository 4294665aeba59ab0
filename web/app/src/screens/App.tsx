import { useEffect, useRef, useState } from 'preact/hooks';
import type { SendItem } from '../types';
import { texts } from '../i18n';
import { Announcer } from './Announcer';
import { Icon } from './Icon';
import { ReceiveScreen } from './ReceiveScreen';
import { ReportsScreen } from './ReportsScreen';
import { SendScreen } from './SendScreen';
import { SettingsScreen } from './SettingsScreen';
import { isRunning, type SinkChoice, type Transfer } from './transfer';
import { TransferScreen } from './TransferScreen';
import { UnsupportedScreen } from './UnsupportedScreen';
import { focusHeading, useFocusAfterRemoval } from './useFocus';
import { useSession } from './useSession';

export type Screen = 'send' | 'receive' | 'settings' | 'reports';

/** What the page does outside of its screens; tests of the screens give their own. */
export interface Actions {
  /** Removes the metadata of pictures. `refused` are those whose metadata cannot be removed. */
  prepare(items: readonly SendItem[]): Promise<{ items: SendItem[]; refused: string[] }>;
  /** Sends prepared items. `chosen`: the same before they were prepared. */
  startSend(items: readonly SendItem[], chosen: readonly SendItem[]): Transfer;
  openLink(link: string): Transfer;
  accept(transfer: Transfer, choice: SinkChoice): void;
  /** A transfer's screen was left after its end: what is kept of it is deleted. */
  forget(transfer: Transfer): void;
}

/** What can happen while the page is open. Each returns a function that stops listening. */
export interface Signals {
  onUpdate(listener: (activate: () => void) => void): void;
  onItems(listener: (items: SendItem[]) => void): void;
  onLink(listener: (link: string) => void): void;
}

interface AppProps {
  readonly actions: Actions;
  readonly signals: Signals;
  readonly start: {
    readonly transfer: Transfer | null;
    readonly items: SendItem[] | null;
    /** Whether the browser has what transfers need. */
    readonly isSupported: boolean;
  };
}

export function App({ actions, signals, start }: AppProps) {
  const [screen, show] = useScreen();
  const [transfer, setTransfer] = useState(start.transfer);
  const [chosen, setChosen] = useState<SendItem[]>(start.items ?? []);
  const [notice, setNotice] = useState(start.items?.length === 0 ? texts.shared.missing : '');
  const [update, setUpdate] = useState<(() => void) | null>(null);
  const online = useOnline();
  const running = useRef(transfer);
  running.current = transfer;
  useSession(transfer?.session ?? null);
  useWarning(running);
  useFocusAfterRemoval();

  const begin = (next: Transfer) => {
    if (running.current) leave(running.current, actions);
    setNotice('');
    setTransfer(next);
    show(next.role === 'sender' ? 'send' : 'receive');
  };
  useEffect(() => {
    signals.onUpdate((activate) => setUpdate(() => activate));
    signals.onItems((items) => {
      setChosen(items);
      if (!isRunning(running.current)) setTransfer(null);
      show('send');
    });
    signals.onLink((link) => {
      if (!isRunning(running.current) || confirm(texts.action.leave)) begin(actions.openLink(link));
    });
  }, []);

  const finish = () => {
    if (transfer) actions.forget(transfer);
    setTransfer(null);
    setChosen([]);
    show('send');
  };
  const home = transfer?.role === 'receiver' ? 'receive' : 'send';
  const isShown = transfer !== null && screen === home;
  useHeading(screen, isShown);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {texts.skip}
      </a>
      <Header screen={screen} transferScreen={transfer ? home : null} onShow={show} />
      <main id="main" tabIndex={-1}>
        <div role="status">
          {update && !isRunning(transfer) && <Update activate={update} onLater={() => setUpdate(null)} />}
        </div>
        <div role="status">{!online && <p class="banner">{texts.offline}</p>}</div>
        {notice && (
          <p class="banner" role="alert">
            {notice}
          </p>
        )}
        {!start.isSupported && (screen === 'send' || screen === 'receive') ? (
          <UnsupportedScreen />
        ) : isShown ? (
          <TransferScreen
            transfer={transfer}
            onAccept={(choice) => actions.accept(transfer, choice)}
            onNew={finish}
          />
        ) : (
          <Chosen
            screen={screen}
            chosen={chosen}
            onChoose={setChosen}
            show={show}
            begin={begin}
            actions={actions}
            busy={isRunning(transfer)}
          />
        )}
      </main>
      <Announcer transfer={transfer} isShown={isShown} />
      <footer>{texts.footer}</footer>
    </>
  );
}

interface ChosenProps {
  readonly screen: Screen;
  readonly chosen: SendItem[];
  readonly onChoose: (items: SendItem[]) => void;
  readonly show: (screen: Screen) => void;
  readonly begin: (transfer: Transfer) => void;
  readonly actions: Actions;
  readonly busy: boolean;
}

function Chosen({ screen, chosen, onChoose, show, begin, actions, busy }: ChosenProps) {
  const mayBegin = () => !busy || confirm(texts.action.leave);
  switch (screen) {
    case 'receive':
      return <ReceiveScreen onLink={(link) => mayBegin() && begin(actions.openLink(link))} />;
    case 'settings':
      return <SettingsScreen onReports={() => show('reports')} />;
    case 'reports':
      return <ReportsScreen onBack={() => show('settings')} />;
    default:
      return (
        <SendScreen
          chosen={chosen}
          onChoose={onChoose}
          prepare={actions.prepare}
          onSend={(items) => mayBegin() && begin(actions.startSend(items, chosen))}
        />
      );
  }
}

/** Another transfer begins: one that runs is cancelled, and what is kept of one that has ended is deleted. */
function leave(transfer: Transfer, actions: Actions): void {
  if (isRunning(transfer)) void transfer.session.cancel();
  else actions.forget(transfer);
}

/** Moves the focus without a change of the address, whose part behind the `#` is for links. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

interface HeaderProps {
  readonly screen: Screen;
  readonly transferScreen: Screen | null;
  readonly onShow: (screen: Screen) => void;
}

function Header({ screen, onShow }: HeaderProps) {
  const current = (name: Screen) =>
    screen === name || (name === 'settings' && screen === 'reports') ? 'page' : undefined;
  return (
    <header>
      <span class="brand">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <span class="brand-name">{texts.appName}</span>
      </span>
      <nav aria-label={texts.nav.label}>
        {(['send', 'receive', 'settings'] as const).map((name) => (
          <button key={name} type="button" aria-current={current(name)} onClick={() => onShow(name)}>
            {name === 'settings' && <Icon name="gear" />}
            <span class={name === 'settings' ? 'wide-only' : ''}>{texts.nav[name]}</span>
          </button>
        ))}
      </nav>
    </header>
  );
}

function Update({ activate, onLater }: { activate: () => void; onLater: () => void }) {
  return (
    <div class="banner" data-update>
      <span>{texts.update.ready}</span>
      <button type="button" class="primary" onClick={activate}>
        {texts.update.now}
      </button>
      <button type="button" onClick={onLater}>
        {texts.update.later}
      </button>
    </div>
  );
}

/** The screen, with an entry in the browser's history; the address stays `/`. */
function useScreen(): [Screen, (screen: Screen) => void] {
  const stored = (): Screen => (history.state as { screen?: Screen } | null)?.screen ?? 'send';
  const [screen, setScreen] = useState<Screen>(stored);
  useEffect(() => {
    const back = () => setScreen(stored());
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  const show = (next: Screen) => {
    if (next !== stored()) history.pushState({ screen: next }, '', '/');
    setScreen(next);
  };
  return [screen, show];
}

/** A new screen has its name in the title and the focus on its heading. That of a transfer does both itself. */
function useHeading(screen: Screen, isTransfer: boolean): void {
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isTransfer) document.title = `${texts.nav[screen]} – ${texts.appName}`;
    if (!isTransfer && !isFirst.current) focusHeading();
    isFirst.current = false;
  }, [screen, isTransfer]);
}

function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const change = () => setOnline(navigator.onLine);
    addEventListener('online', change);
    addEventListener('offline', change);
    return () => {
      removeEventListener('online', change);
      removeEventListener('offline', change);
    };
  }, []);
  return online;
}

/** The browser asks before a running transfer is left. */
function useWarning(running: { readonly current: Transfer | null }): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (isRunning(running.current)) event.preventDefault();
    };
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, []);
}
