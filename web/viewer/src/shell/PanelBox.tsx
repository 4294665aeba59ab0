import type { TimeRange } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { type KeyboardEvent, useId, useState } from 'react';
import type { Region } from '../data/annotations';
import type { Panel } from '../model/dashboard';
import type { Values } from '../model/variables';
import type { PanelTypeProps } from '../panels/panelTypeProps';
import { PANEL_TYPES } from '../panels/panelTypes';
import { Text } from '../panels/Text';
import { ErrorBoundary } from './ErrorBoundary';
import { useSize } from './hooks';
import { type Loaded, usePanelData } from './usePanelData';

export interface PanelProps extends Pick<PanelTypeProps, 'onZoom' | 'legend' | 'selection' | 'onSelection'> {
  panel: Panel;
  range: TimeRange;
  variables: Values;
  regions: Region[];
  full: boolean;
  onFull: () => void;
}

/** A panel: title, description and chart. */
export function PanelBox(props: PanelProps) {
  const { panel, full, onFull } = props;
  const [explained, setExplained] = useState(false);
  const loaded = usePanelData(panel, props.range, props.variables, useTheme2());
  const { element, width, height } = useSize<HTMLDivElement>();
  const id = useId();
  const close = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !explained) return;
    event.stopPropagation(); // an enlarged panel stays enlarged
    setExplained(false);
  };
  return (
    <article className="panel" aria-labelledby={id} data-panel={panel.id} data-state={stateOf(loaded)} onKeyDown={close}>
      <header>
        <h2 id={id} title={panel.title}>{panel.title}</h2>
        <span className="tools">
          {panel.description && (
            <button type="button" aria-expanded={explained} aria-label={`About ${panel.title}`} onClick={() => setExplained(!explained)}>
              ?
            </button>
          )}
          <button type="button" className="size" aria-pressed={full} aria-label={full ? 'Show all panels' : `Enlarge ${panel.title}`} onClick={onFull}>
            {full ? '×' : '⤢'}
          </button>
        </span>
      </header>
      {explained && <p className="about">{panel.description}</p>}
      <div className="drawing" ref={element}>
        <ErrorBoundary key={loaded.structureRev} what="This panel">
          {width > 0 && height > 0 && <Drawing {...props} loaded={loaded} width={width} height={height} />}
        </ErrorBoundary>
      </div>
    </article>
  );
}

function Drawing({ panel, loaded, ...rest }: PanelProps & { loaded: Loaded; width: number; height: number }) {
  if (panel.type === 'text') return <Text panel={panel} />;
  const PanelType = PANEL_TYPES[panel.type];
  if (!PanelType) return <p className="empty">This viewer does not draw panels of type “{panel.type}”.</p>;
  if (loaded.error && !loaded.data) return <p className="empty error">{loaded.error}</p>;
  if (!loaded.data) return <p className="empty">Loading …</p>;
  if (!hasData(loaded)) return <p className="empty">{panel.fieldConfig?.defaults.noValue ?? 'No data'}</p>;
  return <PanelType panel={panel} data={loaded.data} structureRev={loaded.structureRev} {...rest} />;
}

function hasData(loaded: Loaded): boolean {
  return (loaded.data?.frames ?? []).some((frame) => frame.length > 0);
}

function stateOf(loaded: Loaded): string {
  if (loaded.loading) return 'loading';
  if (loaded.error) return 'error';
  return hasData(loaded) ? 'drawn' : 'empty';
}
