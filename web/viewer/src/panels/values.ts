import { type FieldDisplay, formattedValueToString, getFieldDisplayValues, type GrafanaTheme2 } from '@grafana/data';
import type { KindProps } from './kind';

/** The single values a stat, gauge, bar gauge or pie shows: one a series by the panel's reducer. */
export function singleValues({ panel, data }: Pick<KindProps, 'panel' | 'data'>, theme: GrafanaTheme2): FieldDisplay[] {
  const graphMode = panel.options?.graphMode;
  return getFieldDisplayValues({
    data: data.frames,
    reduceOptions: { calcs: ['lastNotNull'], values: false, fields: '', ...panel.options?.reduceOptions },
    fieldConfig: data.fieldConfig,
    replaceVariables: data.replaceVariables,
    theme,
    timeZone: 'browser',
    sparkline: Boolean(graphMode && graphMode !== 'none'),
  });
}

/** A value with its unit, as text. */
export function textOf(value: FieldDisplay): string {
  return formattedValueToString(value.display);
}
