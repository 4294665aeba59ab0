import { VizLegend, type VizLegendItem, VizLayout } from '@grafana/ui';
import type { LegendDisplayMode, LegendPlacement } from '@grafana/schema';
import type { ReactNode } from 'react';

interface Props {
  items: VizLegendItem[];
  options?: { showLegend?: boolean; placement?: LegendPlacement; displayMode?: LegendDisplayMode };
  width: number;
  height: number;
  children: (width: number, height: number) => ReactNode;
}

/** A drawing with its legend below or, where there is room, on its right. */
export function WithLegend({ items, options, width, height, children }: Props) {
  const placement = width < 320 ? 'bottom' : (options?.placement ?? 'bottom');
  const displayMode = options?.displayMode ?? ('list' as LegendDisplayMode);
  const legend = options?.showLegend === false ? null : (
    <VizLayout.Legend placement={placement as LegendPlacement} maxWidth="60%" maxHeight="40%">
      <VizLegend items={items} placement={placement as LegendPlacement} displayMode={displayMode} readonly />
    </VizLayout.Legend>
  );
  return (
    <VizLayout width={width} height={height} legend={legend}>
      {children}
    </VizLayout>
  );
}
