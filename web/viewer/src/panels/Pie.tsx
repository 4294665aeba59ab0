import { type VizLegendItem, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { visible } from '../model/legendSelection';
import { EChart } from './EChart';
import type { PanelTypeProps } from './panelTypeProps';
import { WithLegend } from './Legend';
import { singleValues, textOf } from './values';

const LEAST_LABELLED = 6;

export function Pie(props: PanelTypeProps) {
  const { panel, data, width, height, legend, selection, onSelection } = props;
  const theme = useTheme2();
  const options = panel.options ?? {};
  const all = useMemo(() => singleValues({ panel, data }, theme), [panel, data, theme]);
  const shownNames = visible(selection, all.map(({ display }) => display.title ?? ''));
  const values = all.filter(({ display }) => shownNames.has(display.title ?? ''));
  const total = values.reduce((sum, value) => sum + (value.display.numeric || 0), 0);
  const shown: string[] = options.legend?.values ?? [];
  const items: VizLegendItem[] = all.map((value) => ({
    label: value.display.title ?? '',
    disabled: !shownNames.has(value.display.title ?? ''),
    color: value.display.color,
    yAxis: 1,
    getDisplayValues: () =>
      shown.map((kind) => {
        if (kind !== 'percent') return { ...value.display, title: 'Value' };
        const percent = share(value.display.numeric, total);
        const text = shownNames.has(value.display.title ?? '') ? `${percent.toFixed(1)}%` : '–';
        return { title: 'Percent', numeric: percent, text };
      }),
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
    [all, selection, options.pieType, theme],
  );
  const label = values.map((value) => `${value.display.title} ${textOf(value)}`).join(', ');
  return (
    <WithLegend items={items} options={{ ...options.legend, ...(legend ? {} : { showLegend: false }) }} {...{ selection, onSelection, width, height }}>
      {(inner, tall) => <EChart option={option} width={inner} height={tall} label={label} />}
    </WithLegend>
  );
}

function share(part: number, total: number): number {
  return total > 0 ? (100 * part) / total : 0;
}
