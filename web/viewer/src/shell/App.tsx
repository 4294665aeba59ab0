import { ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { reach } from '../api/client';
import { type Dashboard, listDashboards, type Listed, loadDashboard } from '../model/dashboard';
import { writeAddress } from '../model/address';
import { Board } from './Board';
import { replace, useAddress } from './hooks';
import { Inner } from './Inner';
import { useMode } from './theme';

/** The page: the dashboards' names, and the one that is open. */
export function App() {
  const [address, move] = useAddress();
  const [theme, toggle] = useMode();
  const [listed, setListed] = useState<Listed[]>([]);
  const [board, setBoard] = useState<Dashboard>();
  const [error, setError] = useState('');
  const trouble = useSyncExternalStore(reach.subscribe, reach.now);

  useEffect(() => {
    listDashboards().then(setListed, (failed: Error) => setError(failed.message));
  }, []);
  useEffect(() => {
    if (!address.uid) {
      if (listed[0]) replace(writeAddress({ ...address, uid: listed[0].uid }));
      return;
    }
    setError('');
    loadDashboard(address.uid).then(setBoard, (failed: Error) => setError(failed.message));
  }, [address.uid, listed]);
  useEffect(() => {
    if (board) document.title = `${board.title} · Tallow`;
  }, [board]);

  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PortalContainer />
      <nav aria-label="Dashboards">
        <img src="/icon.svg" alt="" width="20" height="20" />
        <div className="boards">
          {listed.map(({ uid, title }) => (
            <Inner key={uid} to={writeAddress({ ...address, uid, viewPanel: undefined })} current={uid === address.uid}>
              {title.replace(/^Tallow \/ /, '')}
            </Inner>
          ))}
        </div>
        <button type="button" onClick={toggle}>{theme.isDark ? 'Light' : 'Dark'}</button>
        <form method="post" action="/logout">
          <button type="submit">Log out</button>
        </form>
      </nav>
      {trouble && <p className="trouble" role="alert">{trouble}. What is shown may be old; it is tried again.</p>}
      {error && <p className="trouble" role="alert">{error}</p>}
      {board && !error && board.uid === address.uid && <Board key={board.uid} board={board} address={address} move={move} />}
    </ThemeContext.Provider>
  );
}
