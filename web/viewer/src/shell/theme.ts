import { createTheme, type GrafanaTheme2 } from '@grafana/data';
import { useEffect, useMemo, useState } from 'react';

export type Mode = 'dark' | 'light';
const KEY = 'tallow-viewer-theme';

/** The theme, by default the last choice in this browser or the system's preference; and a toggle function. */
export function useMode(): [GrafanaTheme2, () => void] {
  const [mode, setMode] = useState<Mode>(initial);
  const theme = useMemo(() => createTheme({ colors: { mode } }), [mode]);
  useEffect(() => {
    document.documentElement.dataset.theme = mode;
  }, [mode]);
  const toggle = () =>
    setMode((now) => {
      const next = now === 'dark' ? 'light' : 'dark';
      localStorage.setItem(KEY, next);
      return next;
    });
  return [theme, toggle];
}

function initial(): Mode {
  const kept = localStorage.getItem(KEY);
  if (kept === 'dark' || kept === 'light') return kept;
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}
