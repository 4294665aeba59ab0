import { buildHistogram, FieldType, formattedValueToString } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { axisColors, EChart } from './EChart';
import type { PanelTypeProps } from './panelTypeProps';

const GRID = { left: 8, right: 16, top: 16, bottom: 8, containLabel: true };

/** The distribution of the sample values of all series. */
export function Histogram({ panel, data, width, height }: PanelTypeProps) {
  const theme = useTheme2();
  const option = useMemo(() => {
    const found = buildHistogram(data.frames, { bucketCount: panel.options?.bucketCount ?? 30, combine: true });
    const field = data.frames[0]?.fields.find((candidate) => candidate.type === FieldType.number);
    if (!found || !field) return {};
    const text = (value: number) => (field.display ? formattedValueToString(field.display(value)) : String(value));
    const counts = found.counts[0]?.values ?? [];
    const axis = axisColors(theme);
    const ends = found.xMax.values;
    return {
      grid: GRID,
      xAxis: { type: 'category', data: [...found.xMin.values].map(text), ...axis, splitLine: { show: false } },
      yAxis: { type: 'value', ...axis },
      tooltip: {
        formatter: (bar: { dataIndex: number; name: string; value: number }) => `${bar.name} – ${text(ends[bar.dataIndex])}: ${bar.value}`,
      },
      series: [{ type: 'bar', barCategoryGap: '4%', data: [...counts], itemStyle: { color: field.display?.(0).color } }],
    };
  }, [data, panel, theme]);
  return <EChart option={option} width={width} height={height} label={panel.title} />;
}
