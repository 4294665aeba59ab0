import { type Field, type FieldDisplay, type GrafanaTheme2, ThresholdsMode } from '@grafana/data';
import { useTheme2, VizRepeater } from '@grafana/ui';
import { EChart } from './EChart';
import type { PanelTypeProps } from './panelTypeProps';
import { singleValues, textOf } from './values';

const FROM = 205;
const TO = -25;

export function Gauge(props: PanelTypeProps) {
  const theme = useTheme2();
  const options = props.panel.options ?? {};
  return (
    <VizRepeater<FieldDisplay>
      source={props.data}
      getValues={() => singleValues(props, theme)}
      width={props.width}
      height={props.height}
      orientation={options.orientation ?? 'auto'}
      renderCounter={0}
      autoGrid
      renderValue={({ value, width, height }) => (
        <EChart
          option={gauge(value, options.showThresholdMarkers !== false, Math.min(width, height * 1.3), theme)}
          width={width}
          height={height}
          label={`${value.display.title ?? ''} ${textOf(value)}`}
        />
      )}
    />
  );
}

function gauge(value: FieldDisplay, markers: boolean, size: number, theme: GrafanaTheme2) {
  const min = value.field.min ?? 0;
  const max = value.field.max ?? 100;
  const thick = Math.round(size / 9);
  const shape = {
    type: 'gauge',
    min,
    max,
    startAngle: FROM,
    endAngle: TO,
    center: ['50%', '60%'],
    axisTick: { show: false },
    splitLine: { show: false },
    axisLabel: { show: false },
    pointer: { show: false },
    silent: true,
  };
  const arc = {
    ...shape,
    radius: markers ? '92%' : '100%',
    progress: { show: true, width: thick, itemStyle: { color: value.display.color } },
    axisLine: { lineStyle: { width: thick, color: [[1, theme.colors.background.secondary]] } },
    detail: {
      formatter: () => textOf(value),
      color: value.display.color,
      fontSize: Math.max(14, Math.round(size / 7)),
      fontWeight: 500,
      offsetCenter: [0, '8%'],
    },
    data: [{ value: clamp(value.display.numeric ?? min, min, max) }],
  };
  const steps = { lineStyle: { width: 4, color: thresholdSteps(value.field, min, max, theme) } };
  const ring = { ...shape, radius: '101%', axisLine: steps, detail: { show: false }, data: [] };
  return { series: markers ? [ring, arc] : [arc] };
}

/** The upper end of each threshold's colour as a fraction of the scale. */
export function thresholdSteps(field: FieldDisplay['field'], min: number, max: number, theme: GrafanaTheme2): [number, string][] {
  const { mode, steps } = (field as Field['config']).thresholds ?? { mode: ThresholdsMode.Absolute, steps: [] };
  const place = (at: number) => clamp(mode === ThresholdsMode.Percentage ? at / 100 : (at - min) / (max - min), 0, 1);
  return steps.map((step, index) => {
    const next = steps[index + 1];
    return [next ? place(next.value ?? min) : 1, theme.visualization.getColorByName(step.color)];
  });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
