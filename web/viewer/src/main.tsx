import 'uplot/dist/uPlot.min.css';
import './page.css';
import { initPluginTranslations } from '@grafana/i18n';
import { createRoot } from 'react-dom/client';
import { initRegistries } from './data/registry';
import { App } from './shell/App';

declare global {
  interface Window {
    __grafana_public_path__: string;
  }
}

window.__grafana_public_path__ = '/'; // @grafana/ui loads its icons from here
initRegistries();
await initPluginTranslations('tallow-viewer'); // without it the components have no texts
createRoot(document.getElementById('root')!).render(<App />);
