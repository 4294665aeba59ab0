import { compareArrayValues, compareDataFrameStructures, type GrafanaTheme2, type TimeRange } from '@grafana/data';
import { useEffect, useState } from 'react';
import { loadPanel, type PanelData } from '../data/panelData';
import type { Panel } from '../model/dashboard';
import type { Values } from '../model/variables';

export interface Loaded {
  data?: PanelData;
  structureRev: number;
  loading: boolean;
  error?: string;
}

/** A panel's data for a time range; the old stays on screen while the new is on its way. */
export function usePanelData(panel: Panel, range: TimeRange, variables: Values, theme: GrafanaTheme2): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ structureRev: 0, loading: true });
  useEffect(() => {
    const stop = new AbortController();
    setLoaded((old) => ({ ...old, loading: true }));
    loadPanel(panel, range, variables, theme, stop.signal).then(
      (data) => setLoaded((old) => ({ data, structureRev: revision(old, data), loading: false })),
      (error: Error) => {
        if (!stop.signal.aborted) setLoaded((old) => ({ ...old, loading: false, error: error.message }));
      },
    );
    return () => stop.abort();
  }, [panel, range, variables, theme]);
  return loaded;
}

function revision(old: Loaded, data: PanelData): number {
  const same = old.data && compareArrayValues(data.frames, old.data.frames, compareDataFrameStructures);
  return same ? old.structureRev : old.structureRev + 1;
}
