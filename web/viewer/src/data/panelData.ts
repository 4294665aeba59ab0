// Loads a panel's targets as data frames with units, colours, names and thresholds applied.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  type FieldConfigSource,
  type GrafanaTheme2,
  type InterpolateFunction,
  type TimeRange,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { instant, range as rangeQuery } from '../api/prometheus';
import type { Panel, Target } from '../model/dashboard';
import { rateIntervalOf, stepOf } from '../model/timing';
import { interpolate, type Values } from '../model/variables';
import { aligned, seriesFrame, tableFrame } from './frames';
import { fieldOptions } from './registry';

export interface PanelData {
  frames: DataFrame[];
  fieldConfig: FieldConfigSource;
  replaceVariables: InterpolateFunction;
}

/** The values of `$__interval` and the related variables for a time range. */
export function windows(range: TimeRange): Values {
  const seconds = range.to.unix() - range.from.unix();
  const step = stepOf(seconds);
  return {
    __interval: `${step}s`,
    __rate_interval: `${rateIntervalOf(step)}s`,
    __range: `${seconds}s`,
    __range_s: String(seconds),
  };
}

export async function loadPanel(
  panel: Panel,
  range: TimeRange,
  variables: Values,
  theme: GrafanaTheme2,
  signal: AbortSignal,
): Promise<PanelData> {
  const values = { ...variables, ...windows(range) };
  const targets = (panel.targets ?? []).filter((target) => !target.hide);
  const answers = await Promise.all(
    targets.map((target) => framesOf(target, range, values, targets.length > 1, signal)),
  );
  const replaceVariables: InterpolateFunction = (text, scoped) => interpolate(fieldNames(text ?? '', scoped), values);
  const frames = await transformed(panel, answers.flat(), replaceVariables);
  const fieldConfig = { defaults: {}, overrides: [], ...panel.fieldConfig };
  const applied = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: fieldOptions,
    replaceVariables,
    theme,
    timeZone: 'browser',
  });
  cacheFieldDisplayNames(applied);
  return { frames: applied, fieldConfig, replaceVariables };
}

async function framesOf(
  target: Target,
  range: TimeRange,
  values: Values,
  several: boolean,
  signal: AbortSignal,
): Promise<DataFrame[]> {
  const expr = interpolate(target.expr, values);
  const now = Boolean(target.instant) && !target.range;
  const [from, to] = [range.from.unix(), range.to.unix()];
  const span = now ? undefined : aligned(from, to, stepOf(to - from));
  const found = span ? await rangeQuery(expr, span, signal) : await instant(expr, to, signal);
  if (target.format === 'table') return found.length ? [tableFrame(target, found, several)] : [];
  return found.map((series) => seriesFrame(target, series, span));
}

async function transformed(panel: Panel, frames: DataFrame[], interpolation: InterpolateFunction): Promise<DataFrame[]> {
  const wanted = (panel.transformations ?? []).filter((step) => !step.disabled);
  if (!wanted.length || !frames.length) return frames;
  return lastValueFrom(transformDataFrame(wanted, frames, { interpolate: interpolation }));
}

/** `${__field.labels.x}`, `${__field.name}` and `${__series.name}` in names and links. */
function fieldNames(text: string, scoped: Parameters<InterpolateFunction>[1]): string {
  const context = scoped?.__dataContext?.value;
  if (!context?.field) return text;
  return text
    .replace(/\$\{__field\.labels\.(\w+)\}/g, (_, label: string) => context.field.labels?.[label] ?? '')
    .replace(/\$\{__field\.name\}/g, () => context.field.name)
    .replace(/\$\{__series\.name\}/g, () => context.frame.name ?? '');
}
