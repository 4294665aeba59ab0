/** Starts the page. The link's secret leaves the address bar before anything else runs. */
import { takeLink } from './takeLink';
const opened = takeLink();

import { render } from 'preact';
import type { SendItem } from './types';
import { language } from './i18n';
import { takeShared, watchLaunches } from './pwa/incoming';
import { watchInstallation } from './pwa/install';
import { registerServiceWorker } from './pwa/register';
import { missingFeatures } from './requirements';
import { forgetOldSelections } from './reselection/storedSelection';
import { App, type Signals } from './screens/App';
import { actions, resumeStored } from './screens/actions';
import type { Transfer } from './screens/transfer';
import { onSettingChange, settings } from './settings/settings';
import { removeReceived } from './sinks';
import { countFeature } from './telemetry/usage';
import './style.css';

document.documentElement.lang = language;

function applyTheme(): void {
  document.documentElement.dataset['theme'] = settings().theme;
}

applyTheme();
onSettingChange(applyTheme);
watchInstallation();

const signals: Signals = {
  onUpdate: (listener) => void registerServiceWorker(listener),
  onItems: (listener) =>
    watchLaunches((items) => {
      void countFeature('file_handler');
      listener(items);
    }),
  onLink: (listener) =>
    addEventListener('hashchange', () => {
      const link = takeLink();
      if (link) listener(link);
    }),
};

/** The transfer with which the page opens: that of its link, or the one that a reload interrupted. */
async function firstTransfer(): Promise<Transfer | null> {
  return opened ? actions.openLink(opened) : resumeStored();
}

async function start(): Promise<void> {
  const items: SendItem[] | null = await takeShared(location.search);
  if (location.search) history.replaceState(history.state, '', '/');
  if (items && items.length > 0) void countFeature('share_target');
  const isSupported = missingFeatures().length === 0;
  const transfer = isSupported ? await firstTransfer() : null;
  history.replaceState({ screen: transfer?.role === 'receiver' ? 'receive' : 'send' }, '', '/');
  if (!transfer) void removeReceived();
  void forgetOldSelections();
  const root = document.getElementById('root');
  if (root)
    render(<App actions={actions} signals={signals} start={{ transfer, items, isSupported }} />, root);
}

void start();
