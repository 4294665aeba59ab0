import { type DataFrame, type Field, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { axisColors, EChart } from './EChart';
import type { PanelTypeProps } from './panelTypeProps';

const GRID = { left: 8, right: 16, top: 16, bottom: 8, containLabel: true };

/** One bar per row of a table. Names are from `xField` or the first text column. */
export function Bars({ panel, data, width, height }: PanelTypeProps) {
  const theme = useTheme2();
  const frame = data.frames[0];
  const options = panel.options ?? {};
  const option = useMemo(() => {
    if (!frame) return {};
    const names = nameField(frame, options.xField);
    const numbers = frame.fields.filter((field) => field.type === FieldType.number);
    const horizontal = options.orientation === 'horizontal';
    const axis = axisColors(theme);
    const labelSpace = { interval: 0, fontSize: 11, ...(horizontal ? {} : { width: (width - 64) / (frame.length || 1) - 4, overflow: 'break', lineHeight: 13 }) };
    const categories = {
      type: 'category',
      data: [...(names?.values ?? [])],
      inverse: horizontal,
      ...axis,
      axisLabel: { ...axis.axisLabel, ...labelSpace },
      splitLine: { show: false },
      axisTick: { show: false },
    };
    const format = (value: number) => textIn(numbers[0], value);
    const amounts = { type: 'value', ...axis, axisLabel: { ...axis.axisLabel, formatter: format } };
    return {
      grid: GRID,
      xAxis: horizontal ? amounts : categories,
      yAxis: horizontal ? categories : amounts,
      tooltip: { formatter: (bar: { name: string; value: number }) => `${bar.name}: ${format(bar.value)}` },
      series: numbers.map((field) => ({
        type: 'bar',
        name: getFieldDisplayName(field, frame, data.frames),
        barMaxWidth: 64,
        label: {
          show: options.showValue !== 'never' && width / (frame.length || 1) > 36,
          position: horizontal ? 'right' : 'top',
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
