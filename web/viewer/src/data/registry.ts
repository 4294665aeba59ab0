// Fills @grafana/data's registries: transformations, and the processors of field options.
import {
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  FieldType,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';

const STANDARD = {
  unit: unitOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  noValue: stringOverrideProcessor,
  color: identityOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor,
  description: stringOverrideProcessor,
  filterable: identityOverrideProcessor,
  fieldMinMax: identityOverrideProcessor,
};
const OF_TABLES = ['align', 'cellOptions', 'width', 'minWidth', 'inspect', 'hidden', 'filterable'];
const OF_GRAPHS = [
  'hideFrom', 'drawStyle', 'lineWidth', 'lineStyle', 'lineInterpolation', 'fillOpacity', 'gradientMode',
  'showPoints', 'pointSize', 'stacking', 'spanNulls', 'axisPlacement', 'axisLabel', 'axisSoftMin', 'axisSoftMax',
  'axisWidth', 'axisGridShow', 'axisColorMode', 'axisBorderShow', 'axisCenteredZero', 'scaleDistribution',
  'barAlignment', 'barWidthFactor', 'barMaxWidth', 'thresholdsStyle', 'fillBelowTo', 'transform', 'insertNulls',
  'lineColor',
];

function item(path: string, process: unknown, custom: boolean): FieldConfigPropertyItem {
  return {
    id: custom ? `custom.${path}` : path,
    path,
    name: path,
    process,
    isCustom: custom,
    settings: { expandTemplateVars: true },
    shouldApply: (field: { type: FieldType }) => !OF_GRAPHS.includes(path) || field.type !== FieldType.time,
    getItemsCount: () => 0,
    override: () => null,
    editor: () => null,
  } as unknown as FieldConfigPropertyItem;
}

const standardItems = () => Object.entries(STANDARD).map(([path, process]) => item(path, process, false));
const customItems = () => [...OF_TABLES, ...OF_GRAPHS].map((path) => item(path, identityOverrideProcessor, true));

/** Every field option that the panels support. */
export const fieldOptions = new FieldConfigOptionsRegistry(() => [...standardItems(), ...customItems()]);

/** Initialise the registries. Call it once, before the first frame is built. */
export function initRegistries(): void {
  standardFieldConfigEditorRegistry.setInit(standardItems);
  // Some transformers are listed twice, and the registry rejects duplicates.
  const known = new Map(Object.values(standardTransformers).map((found) => [found.id, found]));
  standardTransformersRegistry.setInit(() =>
    [...known.values()].map((found) => ({
      id: found.id,
      aliasIds: found.aliasIds,
      name: found.name,
      transformation: () => Promise.resolve(found),
      editor: () => null,
      imageDark: '',
      imageLight: '',
    })),
  );
}
