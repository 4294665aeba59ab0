import { inReadingOrder, isSmall, pairs, type Panel } from '../model/dashboard';
import type { Selection } from '../model/legendSelection';
import { PanelBox, type PanelProps } from './PanelBox';

const ROW_PX = 38;
const SMALL_PX = 132;
const LEAST_ROWS = 7;

interface Props extends Pick<PanelProps, 'range' | 'variables' | 'regions' | 'onZoom'> {
  panels: Panel[];
  /** The id of the only panel to show. */
  shown?: number;
  onShown: (id: number | undefined) => void;
  /** The series selected in legends, by panel id. */
  selections: Record<number, string[]>;
  onSelection: (id: number, selection: Selection) => void;
  /** Whether a panel shows its legend. */
  hasLegend: (id: number) => boolean;
}

/** Grafana's 24-column grid; on a narrow screen one column. */
export function Grid({ panels, shown, onShown, selections, onSelection, hasLegend, ...rest }: Props) {
  const alone = panels.find((panel) => panel.id === shown);
  const read = inReadingOrder(panels);
  const paired = pairs(read);
  return (
    <div className={alone ? 'grid alone' : 'grid'}>
      {(alone ? [alone] : read).map((panel) => (
        <div key={panel.id} className={paired.has(panel) ? 'cell half' : 'cell'} style={alone ? undefined : place(panel)}>
          <PanelBox
            panel={panel}
            full={panel === alone}
            onFull={() => onShown(alone ? undefined : panel.id)}
            legend={hasLegend(panel.id)}
            selection={selections[panel.id]}
            onSelection={(selection) => onSelection(panel.id, selection)}
            {...rest}
          />
        </div>
      ))}
    </div>
  );
}

function place({ type, gridPos: { x, y, w, h } }: Panel) {
  const height = isSmall({ type }) ? SMALL_PX : Math.max(h, LEAST_ROWS) * ROW_PX;
  return { '--column': `${x + 1} / span ${w}`, '--row': `${y + 1} / span ${h}`, '--height': `${height}px` } as React.CSSProperties;
}
