import type { ComponentType } from 'react';
import { Bars } from './Bars';
import { Gauge } from './Gauge';
import { Graph } from './Graph';
import { Heatmap } from './Heatmap';
import { Histogram } from './Histogram';
import type { KindProps } from './kind';
import { Pie } from './Pie';
import { BarGauges, Stat } from './Stat';
import { Table } from './Table';

/** What draws each of Grafana's panel types. Text panels ask for no data and are drawn apart. */
export const KINDS: Record<string, ComponentType<KindProps>> = {
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
