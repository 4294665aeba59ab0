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

window.__grafana_public_path__ = '/'; // where @grafana/ui looks for its icons
initRegistries();
await initPluginTranslations('tallow-viewer'); // or the components' texts are missing
createRoot(document.getElementById('root')!).render(<App />);
