import type { GrafanaTheme2, TimeRange } from '@grafana/data';
import { range as rangeQuery, type Series } from '../api/prometheus';
import type { Annotation, Dashboard } from '../model/dashboard';
import { stepOf } from '../model/timing';
import { interpolate, type Values } from '../model/variables';
import { aligned } from './frames';

/** A time region in which an annotation's condition held, in milliseconds. */
export interface Region {
  from: number;
  to: number;
  color: string;
  title: string;
}

/** The regions of all enabled annotations of a dashboard. */
export async function loadRegions(
  dashboard: Dashboard,
  range: TimeRange,
  variables: Values,
  theme: GrafanaTheme2,
  signal: AbortSignal,
): Promise<Region[]> {
  const [from, to] = [range.from.unix(), range.to.unix()];
  const span = aligned(from, to, stepOf(to - from));
  const wanted = (dashboard.annotations?.list ?? []).filter((found) => found.enable && found.expr);
  const answers = await Promise.all(
    wanted.map(async (annotation) => {
      const found = await rangeQuery(interpolate(annotation.expr!, variables), span, signal);
      const color = theme.visualization.getColorByName(annotation.iconColor);
      return found.flatMap((series) => regionsOf(annotation, series, span.step, color));
    }),
  );
  return answers.flat();
}

/** Consecutive samples without a gap form one region. */
export function regionsOf(annotation: Annotation, series: Series, step: number, color: string): Region[] {
  const title = (annotation.titleFormat ?? annotation.name).replace(
    /\{\{\s*(\w+)\s*\}\}/g,
    (_, label: string) => series.metric[label] ?? '',
  );
  const regions: Region[] = [];
  for (const [at] of series.values ?? []) {
    const last = regions.at(-1);
    if (last && at * 1000 - last.to <= step * 1000) last.to = at * 1000;
    else regions.push({ from: at * 1000, to: at * 1000, color, title });
  }
  return regions;
}
