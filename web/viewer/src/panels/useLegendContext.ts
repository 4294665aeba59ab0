import { DashboardCursorSync, EventBusSrv } from '@grafana/data';
import { type PanelContext, SeriesVisibilityChangeMode } from '@grafana/ui';
import { useMemo, useRef } from 'react';
import { isolate, type Selection, toggle } from '../model/legendSelection';

interface State {
  /** The names in the legend. */
  names: string[];
  selection: Selection;
  onSelection: (selection: Selection) => void;
}

/** One event bus for the page, so that all graphs share the crosshair. */
const bus = new EventBusSrv();

/** The context in which Grafana's legends report clicks. The object stays the same. */
export function useLegendContext(state: State): PanelContext {
  const latest = useRef(state);
  latest.current = state;
  return useMemo<PanelContext>(
    () => ({
      eventsScope: 'dashboard',
      eventBus: bus,
      sync: () => DashboardCursorSync.Crosshair,
      onToggleSeriesVisibility: (label, mode) => latest.current.onSelection(next(label, mode, latest.current)),
    }),
    [],
  );
}

/** The selection after a click; a label of `null` means all. */
function next(label: string | string[] | null, mode: SeriesVisibilityChangeMode, { names, selection }: State): Selection {
  if (label === null) return undefined;
  if (Array.isArray(label)) return label;
  return mode === SeriesVisibilityChangeMode.AppendToSelection ? toggle(label, selection, names) : isolate(label, selection);
}
