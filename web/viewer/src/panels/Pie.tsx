import { type VizLegendItem, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { EChart } from './EChart';
import type { KindProps } from './kind';
import { WithLegend } from './Legend';
import { singleValues, textOf } from './values';

const LEAST_LABELLED = 6;

export function Pie(props: KindProps) {
  const { panel, data, width, height } = props;
  const theme = useTheme2();
  const options = panel.options ?? {};
  const values = useMemo(() => singleValues({ panel, data }, theme), [panel, data, theme]);
  const total = values.reduce((sum, value) => sum + (value.display.numeric || 0), 0);
  const shown: string[] = options.legend?.values ?? [];
  const items: VizLegendItem[] = values.map((value) => ({
    label: value.display.title ?? '',
    color: value.display.color,
    yAxis: 1,
    getDisplayValues: () =>
      shown.map((kind) =>
        kind === 'percent'
          ? { title: 'Percent', numeric: share(value.display.numeric, total), text: `${share(value.display.numeric, total).toFixed(1)}%` }
          : { ...value.display, title: 'Value' },
      ),
  }));
  const option = useMemo(
    () => ({
      tooltip: {
        formatter: (slice: { dataIndex: number; percent: number; name: string }) =>
          `${slice.name}: ${textOf(values[slice.dataIndex]!)} (${slice.percent} %)`,
      },
      series: [
        {
          type: 'pie',
          radius: options.pieType === 'donut' ? ['52%', '90%'] : '90%',
          itemStyle: { borderColor: theme.colors.background.primary, borderWidth: 2 },
          label: {
            position: 'inside',
            color: '#fff',
            textBorderColor: 'rgba(0, 0, 0, 0.65)',
            textBorderWidth: 3,
            formatter: (slice: { percent: number }) => (slice.percent >= LEAST_LABELLED ? `${slice.percent.toFixed(0)} %` : ''),
          },
          labelLine: { show: false },
          data: values.map((value) => ({
            name: value.display.title,
            value: Math.max(0, value.display.numeric || 0),
            itemStyle: { color: value.display.color },
          })),
        },
      ],
    }),
    [values, options.pieType, theme],
  );
  const label = values.map((value) => `${value.display.title} ${textOf(value)}`).join(', ');
  return (
    <WithLegend items={items} options={options.legend} width={width} height={height}>
      {(inner, tall) => <EChart option={option} width={inner} height={tall} label={label} />}
    </WithLegend>
  );
}

function share(part: number, total: number): number {
  return total > 0 ? (100 * part) / total : 0;
}
