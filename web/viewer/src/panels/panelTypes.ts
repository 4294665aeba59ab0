import type { ComponentType } from 'react';
import { Bars } from './Bars';
import { Gauge } from './Gauge';
import { Graph } from './Graph';
import { Heatmap } from './Heatmap';
import { Histogram } from './Histogram';
import type { PanelTypeProps } from './panelTypeProps';
import { Pie } from './Pie';
import { BarGauges, Stat } from './Stat';
import { Table } from './Table';

/** The component of each supported Grafana panel type. Text panels, which need no data, are drawn by `PanelBox`. */
export const PANEL_TYPES: Record<string, ComponentType<PanelTypeProps>> = {
  barchart: Bars,
  bargauge: BarGauges,
  gauge: Gauge,
  heatmap: Heatmap,
  histogram: Histogram,
  piechart: Pie,
  stat: Stat,
  table: Table,
  timeseries: Graph,
};
