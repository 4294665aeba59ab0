// The position of a legend and the values it shows, chosen so that the graph keeps most of the panel.
import { LegendDisplayMode, type LegendPlacement, type VizLegendOptions } from '@grafana/schema';

/** The maximum share of a panel's width (beside the graph) or height (below) that a legend takes. */
const BESIDE = 0.3;
const BELOW = 0.25;

// Estimates for the legend's 12 px letters.
const LETTER_PX = 6.6;
const LINE_PX = 22;
const GAP_PX = 15;
const ICON_PX = 46;
const LEAST_NAME_PX = 80;
const CELL_PADDING_PX = 16;
const CELL_PX = 78;
const ITEM_PX = 32;
const ITEM_VALUE_PX = 120;

export interface LegendLayout extends VizLegendOptions {
  maxWidth: string;
  maxHeight: string;
}

interface Request {
  options: Partial<VizLegendOptions> | undefined;
  /** The names of the series, one list per axis. */
  names: string[][];
  width: number;
  height: number;
  /** Whether the window is wide enough for a legend beside a graph. */
  wideWindow: boolean;
}

/** The layout with the most values within the limits; beside the graph if that is requested and equally good. */
export function legendLayout({ options, names, width, height, wideWindow }: Request): LegendLayout {
  const calcs = options?.calcs ?? [];
  const asked = { showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom' as LegendPlacement, ...options };
  const limits = { maxWidth: `${BESIDE * 100}%`, maxHeight: `${BELOW * 100}%` };
  const below = valuesBelow(names, calcs.length, width, height);
  const beside = asked.placement === 'right' && wideWindow ? columnsBeside(names.flat(), calcs.length, width) : undefined;
  if (beside !== undefined && beside >= below) return { ...asked, ...limits, calcs: calcs.slice(0, beside) };
  return { ...asked, ...limits, placement: 'bottom', displayMode: LegendDisplayMode.List, calcs: calcs.slice(0, below) };
}

/** The number of value columns that fit beside a graph with complete names; undefined if the names do not fit. */
function columnsBeside(names: string[], most: number, width: number): number | undefined {
  const longest = Math.max(0, ...names.map((name) => name.length));
  const room = width * BESIDE - ICON_PX - Math.max(LEAST_NAME_PX, longest * LETTER_PX + CELL_PADDING_PX);
  return room < 0 ? undefined : Math.min(most, Math.floor(room / CELL_PX));
}

/** The number of values per name that fit into a legend below a graph. */
function valuesBelow(names: string[][], most: number, width: number, height: number): number {
  const axes = names.filter((axis) => axis.length);
  for (let values = most; values > 0; values -= 1) {
    const lines = axes.reduce((sum, axis) => sum + linesOf(axis, values, width), 0);
    if (lines * LINE_PX + (axes.length - 1) * GAP_PX <= height * BELOW) return values;
  }
  return 0;
}

function linesOf(names: string[], values: number, width: number): number {
  let lines = 0;
  let left = 0;
  for (const name of names) {
    const needed = ITEM_PX + name.length * LETTER_PX + values * ITEM_VALUE_PX;
    if (needed > left) {
      lines += 1;
      left = width;
    }
    left -= needed;
  }
  return lines;
}
