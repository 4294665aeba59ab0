import { type DisplayValueAlignmentFactors, type FieldDisplay, getDisplayValueAlignmentFactors } from '@grafana/data';
import { BarGauge, BigValue, useTheme2, VizRepeater } from '@grafana/ui';
import type { KindProps } from './kind';
import { singleValues } from './values';

export function Stat(props: KindProps) {
  const theme = useTheme2();
  const options = props.panel.options ?? {};
  return (
    <VizRepeater<FieldDisplay>
      source={props.data}
      getValues={() => singleValues(props, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      width={props.width}
      height={props.height}
      orientation={options.orientation ?? 'auto'}
      renderCounter={0}
      autoGrid
      renderValue={({ value, alignmentFactors, width, height, count }) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          alignmentFactors={alignmentFactors as DisplayValueAlignmentFactors}
          text={options.text}
          width={width}
          height={height}
          theme={theme}
        />
      )}
    />
  );
}

export function BarGauges(props: KindProps) {
  const theme = useTheme2();
  const options = props.panel.options ?? {};
  return (
    <VizRepeater<FieldDisplay>
      source={props.data}
      getValues={() => singleValues(props, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      width={props.width}
      height={props.height}
      orientation={options.orientation ?? 'horizontal'}
      renderCounter={0}
      itemSpacing={10}
      minVizHeight={16}
      minVizWidth={8}
      renderValue={({ value, alignmentFactors, width, height, orientation }) => (
        <BarGauge
          value={value.display}
          display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          field={value.field}
          alignmentFactors={alignmentFactors as DisplayValueAlignmentFactors}
          width={width}
          height={height}
          orientation={orientation}
          displayMode={options.displayMode}
          showUnfilled={options.showUnfilled}
          theme={theme}
        />
      )}
    />
  );
}
