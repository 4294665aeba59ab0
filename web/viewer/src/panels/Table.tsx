import type { DataFrame } from '@grafana/data';
import { TableNG } from '@grafana/ui/unstable';
import { useMemo } from 'react';
import type { KindProps } from './kind';

/** The least width of a column in pixels; by itself the table takes 150 and pushes columns out of a phone. */
const LEAST_PX = 60;

export function Table({ panel, data, width, height, range, structureRev }: KindProps) {
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
