import { PanelContextProvider, VizLegend, type VizLegendItem, VizLayout } from '@grafana/ui';
import { LegendDisplayMode, type LegendPlacement } from '@grafana/schema';
import type { ReactNode } from 'react';
import type { Selection } from '../model/legendSelection';
import { useLegendContext } from './useLegendContext';

/** The maximum share of the width (beside) or height (below) that a legend takes. */
const BESIDE = '40%';
const BELOW = '40%';
/** The width in pixels below which a legend does not fit beside the chart. */
const NARROW = 320;

interface Props {
  items: VizLegendItem[];
  options?: { showLegend?: boolean; placement?: LegendPlacement; displayMode?: LegendDisplayMode };
  selection: Selection;
  onSelection: (selection: Selection) => void;
  width: number;
  height: number;
  children: (width: number, height: number) => ReactNode;
}

/** A chart with its legend below it or, if the panel is wide enough, on its right. */
export function WithLegend({ items, options, selection, onSelection, width, height, children }: Props) {
  const context = useLegendContext({ names: items.map(({ label }) => label), selection, onSelection });
  const placement: LegendPlacement = width < NARROW ? 'bottom' : (options?.placement ?? 'bottom');
  const legend = options?.showLegend === false ? null : (
    <VizLayout.Legend placement={placement} maxWidth={BESIDE} maxHeight={BELOW}>
      <VizLegend items={items} placement={placement} displayMode={options?.displayMode ?? LegendDisplayMode.List} />
    </VizLayout.Legend>
  );
  return (
    <PanelContextProvider value={context}>
      <VizLayout width={width} height={height} legend={legend}>
        {children}
      </VizLayout>
    </PanelContextProvider>
  );
}
