// Extensions of uPlot graphs: alert regions behind the lines, and zooming by dragging.
import type { UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect, useRef } from 'react';
import type { Region } from '../data/annotations';

interface Props {
  title: string;
  config: UPlotConfigBuilder;
  regions: Region[];
  onZoom: (from: number, to: number) => void;
}

const LEAST_PIXELS = 4;

export function UplotPlugins({ title, config, regions, onZoom }: Props): null {
  const latest = useRef({ regions, onZoom });
  latest.current = { regions, onZoom };

  useLayoutEffect(() => {
    // Without a known position, the tooltip stays hidden until the mouse enters the graph.
    config.addHook('init', ({ root, syncRect }) => {
      root.addEventListener('focus', () => syncRect());
      root.setAttribute('role', 'application'); // a screen reader passes the arrow keys on
      root.setAttribute('aria-label', `${title}, graph: arrow keys move the crosshair`);
    });
    config.setCursor({ drag: { x: true, y: false, setScale: false } });
    config.addHook('setSelect', (plot) => {
      const { left, width } = plot.select;
      if (width < LEAST_PIXELS) return;
      latest.current.onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    });
    config.addHook('drawClear', (plot) => {
      for (const region of latest.current.regions) shade(plot, region);
    });
    config.addHook('draw', (plot) => label(plot, latest.current.regions));
  }, [config, title]);
  return null;
}

interface Plot {
  ctx: CanvasRenderingContext2D;
  bbox: { left: number; top: number; width: number; height: number };
  valToPos: (value: number, scale: string, canvas: boolean) => number;
}

/** Draw each region's title if it fits; overlapping regions use separate lines. */
function label({ ctx, bbox, valToPos }: Plot, regions: Region[]): void {
  const size = Math.round(10 * devicePixelRatio);
  const lines: number[] = [];
  ctx.save();
  ctx.font = `${size}px Inter, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.globalAlpha = 0.85;
  for (const region of [...regions].sort((a, b) => a.from - b.from)) {
    const left = Math.max(bbox.left, valToPos(region.from, 'x', true)) + size / 2;
    const right = Math.min(bbox.left + bbox.width, valToPos(region.to, 'x', true));
    const width = ctx.measureText(region.title).width;
    if (left + width > right) continue;
    const free = lines.findIndex((end) => end < left);
    const line = free < 0 ? lines.length : free;
    lines[line] = right;
    ctx.fillStyle = region.color;
    ctx.fillText(region.title, left, bbox.top + size * (0.6 + 1.3 * line));
  }
  ctx.restore();
}

function shade({ ctx, bbox, valToPos }: Plot, region: Region): void {
  const left = Math.max(bbox.left, valToPos(region.from, 'x', true));
  const right = Math.min(bbox.left + bbox.width, valToPos(region.to, 'x', true));
  if (right < bbox.left || left > bbox.left + bbox.width) return;
  ctx.save();
  ctx.fillStyle = region.color;
  ctx.globalAlpha = 0.07;
  ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  ctx.globalAlpha = 0.9;
  ctx.fillRect(left, bbox.top, Math.max(2, right - left), 2 * devicePixelRatio); // at the top, since series often run at the bottom
  ctx.restore();
}
