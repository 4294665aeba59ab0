// What is added to uPlot's graphs: alert states behind the lines, and zoom by dragging.
import type { UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect, useRef } from 'react';
import type { Region } from '../data/annotations';

interface Props {
  config: UPlotConfigBuilder;
  regions: Region[];
  onZoom: (from: number, to: number) => void;
}

const LEAST_PIXELS = 4;

export function GraphPlugins({ config, regions, onZoom }: Props): null {
  const latest = useRef({ regions, onZoom });
  latest.current = { regions, onZoom };

  useLayoutEffect(() => {
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
  }, [config]);
  return null;
}

interface Plot {
  ctx: CanvasRenderingContext2D;
  bbox: { left: number; top: number; width: number; height: number };
  valToPos: (value: number, scale: string, canvas: boolean) => number;
}

function shade({ ctx, bbox, valToPos }: Plot, region: Region): void {
  const left = Math.max(bbox.left, valToPos(region.from, 'x', true));
  const right = Math.min(bbox.left + bbox.width, valToPos(region.to, 'x', true));
  if (right < bbox.left || left > bbox.left + bbox.width) return;
  ctx.save();
  ctx.fillStyle = region.color;
  ctx.globalAlpha = 0.1;
  ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  ctx.globalAlpha = 0.9;
  ctx.fillRect(left, bbox.top + bbox.height - 3, Math.max(2, right - left), 3);
  ctx.restore();
}
