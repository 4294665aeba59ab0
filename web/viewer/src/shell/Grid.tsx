import { inReadingOrder, type Panel } from '../model/dashboard';
import { PanelBox, type PanelProps } from './PanelBox';

const ROW_PX = 38;

interface Props extends Pick<PanelProps, 'range' | 'variables' | 'regions' | 'onZoom'> {
  panels: Panel[];
  /** The one panel to show alone. */
  shown?: number;
  onShown: (id: number | undefined) => void;
}

/** Grafana's grid of 24 columns; on a narrow screen one column. */
export function Grid({ panels, shown, onShown, ...rest }: Props) {
  const alone = panels.find((panel) => panel.id === shown);
  return (
    <div className={alone ? 'grid alone' : 'grid'} onKeyDown={(event) => event.key === 'Escape' && alone && onShown(undefined)}>
      {(alone ? [alone] : inReadingOrder(panels)).map((panel) => (
        <div key={panel.id} className="cell" style={alone ? undefined : place(panel)}>
          <PanelBox panel={panel} full={panel === alone} onFull={() => onShown(alone ? undefined : panel.id)} {...rest} />
        </div>
      ))}
    </div>
  );
}

function place({ gridPos: { x, y, w, h } }: Panel) {
  return { gridColumn: `${x + 1} / span ${w}`, gridRow: `${y + 1} / span ${h}`, '--height': `${Math.max(h, 6) * ROW_PX}px` } as React.CSSProperties;
}
