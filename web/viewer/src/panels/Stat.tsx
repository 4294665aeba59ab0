import { type DisplayValueAlignmentFactors, type FieldDisplay, getDisplayValueAlignmentFactors } from '@grafana/data';
import { BarGauge, BigValue, useTheme2, VizRepeater } from '@grafana/ui';
import type { PanelTypeProps } from './panelTypeProps';
import { singleValues, textOf } from './values';

/** Average width of a letter relative to its height. */
const LETTER = 0.6;

export function Stat(props: PanelTypeProps) {
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
          text={fits(value, options.text?.valueSize, width) ? options.text : undefined}
          width={width}
          height={height}
          theme={theme}
        />
      )}
    />
  );
}

/** Whether a value fits with its fixed size; otherwise the size is adapted to the panel. */
function fits(value: FieldDisplay, size: number | undefined, width: number): boolean {
  return !size || textOf(value).length * size * LETTER < width;
}

export function BarGauges(props: PanelTypeProps) {
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
