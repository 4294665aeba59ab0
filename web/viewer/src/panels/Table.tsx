import type { DataFrame } from '@grafana/data';
import { TableNG } from '@grafana/ui/unstable';
import { useMemo } from 'react';
import type { PanelTypeProps } from './panelTypeProps';

/** Minimum column width in pixels. The default of 150 moves columns off a phone's screen. */
const LEAST_PX = 60;

export function Table({ panel, data, width, height, range, structureRev }: PanelTypeProps) {
  const options = panel.options ?? {};
  const frame = data.frames[options.frameIndex ?? 0] ?? data.frames[0];
  const shrinking = useMemo(() => frame && shrinkable(frame), [frame]);
  if (!shrinking) return null;
  return (
    <TableNG
      data={shrinking}
      width={width}
      height={height}
      noHeader={options.showHeader === false}
      cellHeight={options.cellHeight}
      fieldConfig={data.fieldConfig}
      timeRange={range}
      sortBy={options.sortBy}
      structureRev={structureRev}
      enableVirtualization
    />
  );
}

function shrinkable(frame: DataFrame): DataFrame {
  const fields = frame.fields.map((field) => ({
    ...field,
    config: { ...field.config, custom: { minWidth: LEAST_PX, ...field.config.custom } },
  }));
  return { ...frame, fields };
}
