import { TableNG } from '@grafana/ui/unstable';
import type { KindProps } from './kind';

export function Table({ panel, data, width, height, range, structureRev }: KindProps) {
  const options = panel.options ?? {};
  const frame = data.frames[options.frameIndex ?? 0] ?? data.frames[0];
  if (!frame) return null;
  return (
    <TableNG
      data={frame}
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
