import { type FieldDisplay, formattedValueToString, getFieldDisplayValues, type GrafanaTheme2 } from '@grafana/data';
import type { PanelTypeProps } from './panelTypeProps';

/** The values of a stat, gauge, bar gauge or pie panel: one per series, by the panel's reducer. */
export function singleValues({ panel, data }: Pick<PanelTypeProps, 'panel' | 'data'>, theme: GrafanaTheme2): FieldDisplay[] {
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
