import { formattedValueToString, getValueFormat, type GrafanaTheme2 } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { type Buckets, bucketsOf } from '../data/buckets';
import { isTick, moment, tickOf } from '../data/ticks';
import { axisColors, EChart } from './EChart';
import type { PanelTypeProps } from './panelTypeProps';

const GRID = { left: 8, right: 16, top: 8, bottom: 8, containLabel: true };
const TICK_PX = 72;
const DARK = ['#16324f', '#1f60c4', '#5794f2', '#c0d8ff'];
const LIGHT = ['#d6e6ff', '#8ab8ff', '#3274d9', '#103a7a'];

/** Buckets over time; the colour intensity shows the number of samples. */
export function Heatmap({ panel, data, width, height }: PanelTypeProps) {
  const theme = useTheme2();
  const option = useMemo(() => {
    const buckets = bucketsOf(data.frames, panel.options?.filterValues?.le);
    return heatmap(buckets, boundsText(panel.options?.yAxis?.unit), width, theme);
  }, [data, panel, theme, width]);
  return <EChart option={option} width={width} height={height} label={panel.title} />;
}

function boundsText(unit?: string): (bound: number) => string {
  const format = getValueFormat(unit ?? 'short');
  return (bound) => (Number.isFinite(bound) ? `≤ ${formattedValueToString(format(bound))}` : 'more');
}

function heatmap({ times, bounds, cells }: Buckets, text: (bound: number) => string, width: number, theme: GrafanaTheme2) {
  const axis = { ...axisColors(theme), splitLine: { show: false }, axisTick: { show: false } };
  const every = tickOf(times.at(-1)! - times[0]!, width / TICK_PX);
  const labels = { ...axis.axisLabel, interval: (index: number) => isTick(times[index]!, every), formatter: (at: string) => moment(Number(at), every) };
  const format = getValueFormat('short');
  return {
    grid: GRID,
    xAxis: { type: 'category', data: times, ...axis, axisLabel: labels },
    yAxis: { type: 'category', data: bounds.map(text), ...axis },
    visualMap: {
      show: false,
      min: 0,
      max: Math.max(1e-9, ...cells.map(([, , count]) => count)),
      inRange: { color: theme.isDark ? DARK : LIGHT },
    },
    tooltip: {
      formatter: ({ value: [x, y, count] }: { value: [number, number, number] }) =>
        `${moment(times[x]!)}  ${text(bounds[y]!)}: ${formattedValueToString(format(count, 2))}`,
    },
    series: [
      {
        type: 'heatmap',
        data: cells,
        progressive: 0,
        itemStyle: { borderWidth: 1, borderColor: theme.colors.background.primary },
      },
    ],
  };
}
