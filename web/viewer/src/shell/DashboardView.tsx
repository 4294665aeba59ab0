import { useCallback, useMemo, useState } from 'react';
import { pendingQueries } from '../api/client';
import type { Address } from '../model/address';
import type { Dashboard } from '../model/dashboard';
import type { Selection } from '../model/legendSelection';
import { type RawRange, rangeProblem, timeRangeOf } from '../model/timeRange';
import { millisecondsOf } from '../model/timing';
import { AlertBar } from './AlertBar';
import { copy } from './clipboard';
import { Grid } from './Grid';
import { useEvery } from './hooks';
import { Notices } from './Notices';
import { ShareDialog, shareLink } from './ShareDialog';
import { TimeControls } from './TimeControls';
import { timeActions } from './timeActions';
import { useDashboardData } from './useDashboardData';
import { useLegends } from './useLegends';
import { focusedPanel, useShortcuts } from './useShortcuts';
import { Variables } from './Variables';

const ALERTS_EVERY_MS = 30_000;
const LAST_HOUR: RawRange = { from: 'now-1h', to: 'now' };

interface Props {
  dashboard: Dashboard;
  address: Address;
  /** Messages about unusable parameters of the address. */
  problems: string[];
  move: (next: Partial<Address>) => void;
}

/** A dashboard: its controls, alerts and panels. */
export function DashboardView({ dashboard, address, problems, move }: Props) {
  const { raw, problem } = usableRange(dashboard, address);
  const refresh = millisecondsOf(address.refresh) || address.refresh === '' ? address.refresh! : (dashboard.refresh ?? '');
  const [tick, setTick] = useState(0);
  const again = useCallback(() => setTick((now) => now + 1), []);
  // A refresh waits for the previous one: if it aborted it, slow loads would never complete.
  useEvery(millisecondsOf(refresh), () => pendingQueries() || again());
  const [alertTick, setAlertTick] = useState(0);
  useEvery(ALERTS_EVERY_MS, () => setAlertTick((now) => now + 1));
  const [shares, setShares] = useState(false);

  // A new tick moves a range that ends `now`.
  const range = useMemo(() => timeRangeOf(raw), [raw.from, raw.to, tick]);
  const { choices, variables, regions, problems: unknown } = useDashboardData(dashboard, address.variables, range);
  const legends = useLegends();
  const onRange = useCallback(({ from, to }: RawRange) => move({ from, to }), [move]);
  const zoom = useCallback((left: number, right: number) => onRange({ from: String(Math.round(left)), to: String(Math.round(right)) }), [onRange]);
  const select = (panel: number, selection: Selection) => move({ legends: withSelection(address.legends, panel, selection) });
  const onPanel = (act: (panel: number) => void) => () => {
    const panel = address.viewPanel ?? focusedPanel();
    if (panel) act(panel);
  };
  useShortcuts({
    ...timeActions(range, onRange),
    refresh: again,
    legends: legends.toggleAll,
    kiosk: () => move({ kiosk: !address.kiosk }),
    leave: () => (address.viewPanel ? move({ viewPanel: undefined }) : address.kiosk && move({ kiosk: false })),
    viewPanel: onPanel((panel) => move({ viewPanel: address.viewPanel ? undefined : panel })),
    panelLegend: onPanel(legends.toggle),
    panelLink: onPanel((viewPanel) => void copy(shareLink({ ...address, viewPanel }, raw), 'Link')),
  });

  return (
    <main>
      <div className="controls">
        <h1 title={dashboard.title}>{dashboard.title}</h1>
        <Variables
          choices={choices}
          onChoose={(name, values) => move({ variables: { ...address.variables, [name]: values } })}
        />
        <TimeControls
          from={raw.from}
          to={raw.to}
          range={range}
          refresh={refresh}
          onRange={(from, to) => onRange({ from, to })}
          onRefresh={(every) => move({ refresh: every })}
          onNow={again}
        />
        <button type="button" className="share" onClick={() => setShares(true)}>Share</button>
        {address.kiosk && <button type="button" onClick={() => move({ kiosk: false })}>Leave kiosk mode</button>}
      </div>
      {shares && <ShareDialog address={address} raw={raw} range={range} onClose={() => setShares(false)} />}
      <Notices lines={[...problems, ...problem, ...unknown, ...unknownPanel(dashboard, address.viewPanel)]} />
      <AlertBar tick={tick + alertTick} brief={address.viewPanel !== undefined} />
      {variables && (
        <Grid
          panels={dashboard.panels}
          shown={address.viewPanel}
          onShown={(viewPanel) => move({ viewPanel })}
          range={range}
          variables={variables}
          regions={regions}
          onZoom={zoom}
          selections={address.legends ?? {}}
          onSelection={select}
          hasLegend={legends.isShown}
        />
      )}
    </main>
  );
}

/** The range of the address or, if it is invalid, the dashboard's default with a message. */
function usableRange({ time }: Dashboard, address: Address): { raw: RawRange; problem: string[] } {
  const own = rangeProblem(time.from, time.to) ? LAST_HOUR : { from: time.from, to: time.to };
  const asked = { from: address.from ?? own.from, to: address.to ?? own.to };
  const problem = rangeProblem(asked.from, asked.to);
  return problem ? { raw: own, problem: [problem, "The dashboard's own time range is shown instead."] } : { raw: asked, problem: [] };
}

function unknownPanel(dashboard: Dashboard, id: number | undefined): string[] {
  const known = id === undefined || dashboard.panels.some((panel) => panel.id === id);
  return known ? [] : [`This dashboard has no panel ${id}. All panels are shown.`];
}

function withSelection(legends: Address['legends'], panel: number, selection: Selection): Address['legends'] {
  const { [panel]: _before, ...others } = legends ?? {};
  return selection ? { ...others, [panel]: selection } : others;
}
