import { type DataFrame, type Field, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { axisColors, EChart } from './EChart';
import type { KindProps } from './kind';

const GRID = { left: 8, right: 16, top: 16, bottom: 8, containLabel: true };

/** A bar for each row of a table: names from its first text column, or the one that is named. */
export function Bars({ panel, data, width, height }: KindProps) {
  const theme = useTheme2();
  const frame = data.frames[0];
  const options = panel.options ?? {};
  const option = useMemo(() => {
    if (!frame) return {};
    const names = nameField(frame, options.xField);
    const numbers = frame.fields.filter((field) => field.type === FieldType.number);
    const lying = options.orientation === 'horizontal';
    const axis = axisColors(theme);
    const room = { interval: 0, fontSize: 11, ...(lying ? {} : { width: (width - 64) / (frame.length || 1) - 4, overflow: 'break', lineHeight: 13 }) };
    const categories = {
      type: 'category',
      data: [...(names?.values ?? [])],
      inverse: lying,
      ...axis,
      axisLabel: { ...axis.axisLabel, ...room },
      splitLine: { show: false },
      axisTick: { show: false },
    };
    const format = (value: number) => textIn(numbers[0], value);
    const amounts = { type: 'value', ...axis, axisLabel: { ...axis.axisLabel, formatter: format } };
    return {
      grid: GRID,
      xAxis: lying ? amounts : categories,
      yAxis: lying ? categories : amounts,
      tooltip: { formatter: (bar: { name: string; value: number }) => `${bar.name}: ${format(bar.value)}` },
      series: numbers.map((field) => ({
        type: 'bar',
        name: getFieldDisplayName(field, frame, data.frames),
        barMaxWidth: 64,
        label: {
          show: options.showValue !== 'never' && width / (frame.length || 1) > 36,
          position: lying ? 'right' : 'top',
          color: theme.colors.text.primary,
          formatter: (bar: { value: number }) => textIn(field, bar.value),
        },
        data: [...field.values].map((value) => ({ value, itemStyle: { color: field.display?.(value).color } })),
      })),
    };
  }, [frame, data.frames, options, theme, width]);
  const label = frame ? `${frame.length} bars` : '';
  return <EChart option={option} width={width} height={height} label={`${panel.title}: ${label}`} />;
}

function nameField(frame: DataFrame, wanted?: string): Field | undefined {
  return frame.fields.find((field) => field.name === wanted) ?? frame.fields.find((field) => field.type === FieldType.string);
}

function textIn(field: Field | undefined, value: number): string {
  return field?.display ? formattedValueToString(field.display(value)) : String(value);
}
