import { ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { reach } from '../api/client';
import { otherDashboard, writeAddress } from '../model/address';
import { DashboardView } from './DashboardView';
import { ErrorBoundary } from './ErrorBoundary';
import { go, replace, useAddress } from './hooks';
import { Navigation } from './Navigation';
import { ShortcutHelp } from './ShortcutHelp';
import { useMode } from './theme';
import { Toast } from './toast';
import { useDashboards } from './useDashboards';
import { useShortcuts } from './useShortcuts';

/** The page: navigation and the open dashboard. */
export function App() {
  const { address, problems, move } = useAddress();
  const [theme, toggleTheme] = useMode();
  const [helps, setHelps] = useState(false);
  const trouble = useSyncExternalStore(reach.subscribe, reach.now);
  const { listed, dashboard, title, reason, error } = useDashboards(address.uid);
  const first = listed.find((found) => !found.reason);
  const panel = dashboard?.panels.find(({ id }) => id === address.viewPanel)?.title;

  useEffect(() => {
    if (!address.uid && first) replace(writeAddress({ ...address, uid: first.uid }));
  }, [address, first]);
  useEffect(() => {
    document.title = [panel, title, 'Dashboards'].filter(Boolean).join(' · ');
  }, [panel, title]);
  useShortcuts({
    help: () => setHelps(true),
    theme: toggleTheme,
    home: () => first && go(otherDashboard(address, first.uid)),
  });

  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PortalContainer />
      {!address.kiosk && <Navigation listed={listed} address={address} dark={theme.isDark} onTheme={toggleTheme} onHelp={() => setHelps(true)} />}
      {helps && <ShortcutHelp onClose={() => setHelps(false)} />}
      {trouble && <p className="trouble" role="alert">{trouble}. The data shown may be old; the viewer retries.</p>}
      {error && error.message !== trouble && <p className="trouble" role="alert">{error.message}</p>}
      {reason && (
        <main className="missing">
          <h1>{title}</h1>
          <p>{reason}</p>
        </main>
      )}
      {dashboard && !error && (
        <ErrorBoundary key={dashboard.uid} what="This dashboard">
          <DashboardView dashboard={dashboard} address={address} problems={problems} move={move} />
        </ErrorBoundary>
      )}
      <Toast />
    </ThemeContext.Provider>
  );
}
