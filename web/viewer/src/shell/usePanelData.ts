import { compareArrayValues, compareDataFrameStructures, type DataFrame, type GrafanaTheme2, type TimeRange } from '@grafana/data';
import { useCallback, useMemo, useRef } from 'react';
import { loadPanel, type PanelData } from '../data/panelData';
import type { Panel } from '../model/dashboard';
import type { Values } from '../model/variables';
import { useResource } from './useResource';

export interface Loaded {
  data?: PanelData;
  structureRev: number;
  loading: boolean;
  error?: string;
}

/** A panel's data for a time range. The previous data stays visible while new data loads. */
export function usePanelData(panel: Panel, range: TimeRange, variables: Values, theme: GrafanaTheme2): Loaded {
  const load = useCallback(
    (signal: AbortSignal) => loadPanel(panel, range, variables, theme, signal),
    [panel, range, variables, theme],
  );
  const { value: data, error, loading } = useResource(load);
  return { data, structureRev: useStructureRevision(data?.frames), loading, error: error?.message };
}

/** A number that increases when the structure of the frames changes, not with every new sample. */
function useStructureRevision(frames: DataFrame[] | undefined): number {
  const last = useRef<{ frames?: DataFrame[]; revision: number }>({ revision: 0 });
  return useMemo(() => {
    const { frames: before, revision } = last.current;
    const same = frames && before && compareArrayValues(frames, before, compareDataFrameStructures);
    last.current = { frames, revision: same || !frames ? revision : revision + 1 };
    return last.current.revision;
  }, [frames]);
}
