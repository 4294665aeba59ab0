import type { TimeRange } from '@grafana/data';
import type { Region } from '../data/annotations';
import type { PanelData } from '../data/panelData';
import type { Panel } from '../model/dashboard';
import type { Selection } from '../model/legendSelection';

/** The props of every panel type's component. */
export interface PanelTypeProps {
  panel: Panel;
  data: PanelData;
  width: number;
  height: number;
  range: TimeRange;
  regions: Region[];
  /** Increases when the structure of the frames changes, not with every new sample. */
  structureRev: number;
  /** Called when a span is selected by dragging, in milliseconds. */
  onZoom: (from: number, to: number) => void;
  /** Whether the legend is shown. */
  legend: boolean;
  /** The series selected in the legend. */
  selection: Selection;
  onSelection: (selection: Selection) => void;
}
