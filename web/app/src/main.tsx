/** Starts the page. The link's secret leaves the address bar before anything else runs. */
import { takeLink } from './takeLink';
const opened = takeLink();

import { render } from 'preact';
import type { SendItem } from './types';
import { language } from './i18n';
import { takeShared, watchLaunches } from './pwa/incoming';
import { watchInstallation } from './pwa/install';
import { registerServiceWorker } from './pwa/register';
import { App, type Signals } from './screens/App';
import { actions, resumeStored } from './screens/actions';
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

async function start(): Promise<void> {
  const items: SendItem[] | null = await takeShared(location.search);
  if (location.search) history.replaceState(history.state, '', '/');
  if (items && items.length > 0) void countFeature('share_target');
  const transfer = opened ? actions.openLink(opened) : resumeStored();
  history.replaceState({ screen: transfer?.role === 'receiver' ? 'receive' : 'send' }, '', '/');
  if (!transfer) void removeReceived();
  const root = document.getElementById('root');
  if (root) render(<App actions={actions} signals={signals} start={{ transfer, items }} />, root);
}

void start();
