// The parts of Grafana's dashboard JSON that the viewer draws.
import type { DataTransformerConfig, FieldConfigSource } from '@grafana/data';
import { ask } from '../api/client';

export interface Target {
  refId: string;
  expr: string;
  legendFormat?: string;
  instant?: boolean;
  range?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
  hide?: boolean;
}
export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  options?: Record<string, any>;
  fieldConfig?: FieldConfigSource;
  transformations?: DataTransformerConfig[];
}
export interface Variable {
  name: string;
  type: string;
  label?: string;
  query: string | { query: string };
  includeAll?: boolean;
  allValue?: string;
  multi?: boolean;
  hide?: number;
}
export interface Annotation {
  name: string;
  enable: boolean;
  expr?: string;
  iconColor: string;
  titleFormat?: string;
  textFormat?: string;
}
export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
  refresh?: string;
  time: { from: string; to: string };
  templating?: { list: Variable[] };
  annotations?: { list?: Annotation[] };
}
export interface Listed {
  uid: string;
  title: string;
  /** Why the viewer cannot draw the dashboard; undefined if it can. */
  reason?: string;
}

/** All dashboards: first those that the viewer can draw. */
export async function listDashboards(signal: AbortSignal): Promise<Listed[]> {
  const paths = ['/api/dashboards', '/api/unavailable-dashboards'];
  return (await Promise.all(paths.map((path) => ask<Listed[]>(path, undefined, signal)))).flat();
}

export function loadDashboard(uid: string, signal: AbortSignal): Promise<Dashboard> {
  return ask<Dashboard>(`/api/dashboards/${encodeURIComponent(uid)}`, undefined, signal);
}

/** A title without the prefix that all of Tallow's dashboards share. */
export const shortTitle = (title: string) => title.replace(/^Tallow \/ /, '');

/** Panels in reading order: row by row. */
export function inReadingOrder(panels: Panel[]): Panel[] {
  return [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
}

const SMALL = new Set(['stat', 'gauge']);

/** Whether a panel shows a single value and needs little space. */
export function isSmall({ type }: Pick<Panel, 'type'>): boolean {
  return SMALL.has(type);
}

/** Small panels that share a row with a neighbour on a narrow screen. */
export function pairs(panels: Panel[]): Set<Panel> {
  const found = new Set<Panel>();
  panels.forEach((panel, place) => {
    const before = panels[place - 1];
    const pair = before && !found.has(before) && isSmall(before) && isSmall(panel);
    if (pair) found.add(before).add(panel);
  });
  return found;
}
