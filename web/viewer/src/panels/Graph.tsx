import { type DataFrame, DashboardCursorSync, type Field, FieldType, getFieldDisplayName } from '@grafana/data';
import { KeyboardPlugin, PanelContextProvider, TimeSeries, TooltipDisplayMode, TooltipPlugin, useTheme2 } from '@grafana/ui';
import { AxisPlacement, SortOrder } from '@grafana/schema';
import { useMemo, useRef } from 'react';
import type { Panel } from '../model/dashboard';
import { type Selection, visible } from '../model/legendSelection';
import type { PanelTypeProps } from './panelTypeProps';
import { legendLayout } from './legendLayout';
import { UplotPlugins } from './uplotPlugins';
import { useLegendContext } from './useLegendContext';

const NO_OPTIONS: NonNullable<Panel['options']> = {};

/** Lines, areas and bars over time. A click on a name in the legend shows only that series. */
export function Graph({ panel, data, width, height, range, regions, structureRev, onZoom, legend: shownLegend, selection, onSelection }: PanelTypeProps) {
  const theme = useTheme2();
  const options = panel.options ?? NO_OPTIONS;
  const series = useMemo(() => seriesOf(data.frames), [data.frames]);
  const frames = useMemo(() => hideUnselected(data.frames, selection), [data.frames, selection]);
  const wideWindow = innerWidth >= theme.breakpoints.values.lg;
  const layoutKey = JSON.stringify([series, options.legend, width, height, wideWindow, shownLegend]);
  // A new object on every render would recreate the graph.
  const legend = useMemo(() => {
    const axes = [series.filter(({ right }) => !right), series.filter(({ right }) => right)];
    const asked = { ...options.legend, ...(shownLegend ? {} : { showLegend: false }) };
    return legendLayout({ options: asked, names: axes.map((axis) => axis.map(({ name }) => name)), width, height, wideWindow });
  }, [layoutKey]);
  const context = useLegendContext({ names: series.map(({ name }) => name), selection, onSelection });
  const revision = useRevision(structureRev, selection);
  return (
    <PanelContextProvider value={context}>
      <TimeSeries frames={frames} timeRange={range} timeZone="browser" width={width} height={height} structureRev={revision} legend={legend} options={options}>
        {(config, alignedFrame) => (
          <>
            <UplotPlugins title={panel.title} config={config} regions={regions} onZoom={onZoom} />
            <KeyboardPlugin config={config} />
            <TooltipPlugin
              frames={frames}
              data={alignedFrame}
              config={config}
              mode={options.tooltip?.mode ?? TooltipDisplayMode.Single}
              sortOrder={options.tooltip?.sort ?? SortOrder.None}
              sync={() => DashboardCursorSync.Crosshair}
              timeZone="browser"
            />
          </>
        )}
      </TimeSeries>
    </PanelContextProvider>
  );
}

interface Series {
  name: string;
  /** Whether the series is on the right axis. */
  right: boolean;
}

function seriesOf(frames: DataFrame[]): Series[] {
  return frames.flatMap((frame) =>
    frame.fields
      .filter((field) => field.type !== FieldType.time)
      .map((field) => ({ name: getFieldDisplayName(field, frame, frames), right: isRight(field) })),
  );
}

const isRight = (field: Field) => field.config.custom?.axisPlacement === AxisPlacement.Right;

/** The frames with all unselected series hidden. */
function hideUnselected(frames: DataFrame[], selection: Selection): DataFrame[] {
  if (!selection) return frames;
  const shown = visible(selection, seriesOf(frames).map(({ name }) => name));
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      if (field.type === FieldType.time || shown.has(getFieldDisplayName(field, frame, frames))) return field;
      const custom = { ...field.config.custom, hideFrom: { viz: true, legend: false, tooltip: true } };
      return { ...field, config: { ...field.config, custom } };
    }),
  }));
}

/** A number that increases when the structure or the selection changes, so that the graph is reconfigured. */
function useRevision(structureRev: number, selection: Selection): number {
  const key = JSON.stringify([structureRev, selection]);
  const last = useRef({ key, revision: 1 });
  if (last.current.key !== key) last.current = { key, revision: last.current.revision + 1 };
  return last.current.revision;
}
