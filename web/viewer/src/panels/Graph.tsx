import { type DataFrame, DashboardCursorSync, EventBusSrv, FieldType, getFieldDisplayName } from '@grafana/data';
import { type PanelContext, PanelContextProvider, TimeSeries, TooltipDisplayMode, TooltipPlugin, useTheme2 } from '@grafana/ui';
import { LegendDisplayMode, SortOrder, type VizLegendOptions } from '@grafana/schema';
import { useMemo, useState } from 'react';
import type { KindProps } from './kind';
import { GraphPlugins } from './plugins';

const LEGEND: VizLegendOptions = { calcs: [], showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom' };
/** Pixels below which a table beside the graph would leave it no room; on small screens none is put there. */
const NARROW = 480;
const BELOW: Partial<VizLegendOptions> = { displayMode: LegendDisplayMode.List, placement: 'bottom' };
const bus = new EventBusSrv();

/** Lines, areas and bars over time. A click on a name in the legend shows that series alone. */
export function Graph({ panel, data, width, height, range, regions, structureRev, onZoom }: KindProps) {
  const [only, setOnly] = useState<string | null>(null);
  const [revision, setRevision] = useState(0);
  const frames = useMemo(() => showing(data.frames, only), [data.frames, only]);
  const context = useMemo<PanelContext>(
    () => ({
      eventsScope: 'dashboard',
      eventBus: bus,
      sync: () => DashboardCursorSync.Crosshair,
      onToggleSeriesVisibility: (label) => {
        const name = Array.isArray(label) ? label[0] : label;
        setOnly((now) => (now === name ? null : (name ?? null)));
        setRevision((now) => now + 1);
      },
    }),
    [],
  );
  const options = panel.options ?? {};
  const theme = useTheme2();
  return (
    <PanelContextProvider value={context}>
      <TimeSeries
        frames={frames}
        timeRange={range}
        timeZone="browser"
        width={width}
        height={height}
        structureRev={structureRev * 1000 + revision}
        legend={{ ...LEGEND, ...options.legend, ...(width < NARROW || innerWidth < theme.breakpoints.values.lg ? BELOW : {}) }}
        options={options}
      >
        {(config, alignedFrame) => (
          <>
            <GraphPlugins config={config} regions={regions} onZoom={onZoom} />
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

function showing(frames: DataFrame[], only: string | null): DataFrame[] {
  if (only === null) return frames;
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      if (field.type === FieldType.time || getFieldDisplayName(field, frame, frames) === only) return field;
      const custom = { ...field.config.custom, hideFrom: { viz: true, legend: false, tooltip: true } };
      return { ...field, config: { ...field.config, custom } };
    }),
  }));
}
