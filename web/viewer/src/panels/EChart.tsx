// A React component for ECharts. Labels and tooltips are drawn as text, never as HTML.
import { BarChart, GaugeChart, HeatmapChart, PieChart } from 'echarts/charts';
import { GridComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useTheme2 } from '@grafana/ui';
import { useEffect, useRef } from 'react';

echarts.use([BarChart, GaugeChart, HeatmapChart, PieChart, GridComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

export type Option = Record<string, unknown> & { tooltip?: Record<string, unknown> };

interface Props {
  option: Option;
  width: number;
  height: number;
  /** The accessible name. */
  label: string;
}

export function EChart({ option, width, height, label }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts>(null);
  const theme = useTheme2();

  useEffect(() => {
    chart.current = echarts.init(element.current!, null, { width: 100, height: 100 });
    return () => chart.current?.dispose();
  }, []);

  useEffect(() => {
    const { text, background, border } = theme.colors;
    const tooltip = {
      renderMode: 'richText',
      confine: true,
      backgroundColor: background.elevated,
      borderColor: border.medium,
      textStyle: { color: text.primary, fontSize: 12 },
    };
    chart.current?.resize({ width, height });
    chart.current?.setOption(
      {
        animation: false,
        textStyle: { fontFamily: theme.typography.fontFamily, color: text.secondary },
        ...option,
        tooltip: { ...tooltip, ...option.tooltip },
      },
      true,
    );
  }, [option, width, height, theme]);

  return <div ref={element} role="img" aria-label={label} style={{ width, height }} />;
}

/** Colours of axes and grid lines. */
export function axisColors(theme: ReturnType<typeof useTheme2>) {
  return {
    axisLabel: { color: theme.colors.text.secondary },
    axisLine: { lineStyle: { color: theme.colors.border.medium } },
    splitLine: { lineStyle: { color: theme.colors.border.weak } },
  };
}
