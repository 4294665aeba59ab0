import type { TimeRange } from '@grafana/data';
import type { Region } from '../data/annotations';
import type { PanelData } from '../data/panelData';
import type { Panel } from '../model/dashboard';
import type { Selection } from '../model/legendSelection';

/** What every kind of panel is given. */
export interface KindProps {
  panel: Panel;
  data: PanelData;
  width: number;
  height: number;
  range: TimeRange;
  regions: Region[];
  /** Rises when the shape of the frames changes, not with every new sample. */
  structureRev: number;
  /** A span was chosen by dragging, in milliseconds. */
  onZoom: (from: number, to: number) => void;
  /** Whether legends are shown. */
  legend: boolean;
  /** The series that the legend is narrowed to. */
  selection: Selection;
  onSelection: (selection: Selection) => void;
}
