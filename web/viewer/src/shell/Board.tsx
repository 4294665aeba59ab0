import { rangeUtil, type TimeRange } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { loadRegions, type Region } from '../data/annotations';
import type { Address } from '../model/address';
import type { Dashboard } from '../model/dashboard';
import { millisecondsOf } from '../model/timing';
import { type Choice, loadChoices, patternsOf, unasked } from '../model/variables';
import { AlertBar } from './AlertBar';
import { Grid } from './Grid';
import { useEvery } from './hooks';
import { TimeControls } from './TimeControls';
import { Variables } from './Variables';

const ALERTS_EVERY_MS = 30_000;

interface Props {
  board: Dashboard;
  address: Address;
  move: (next: Partial<Address>) => void;
}

/** One dashboard: its controls, alerts and panels. */
export function Board({ board, address, move }: Props) {
  const { from = board.time.from, to = board.time.to, refresh = board.refresh ?? '' } = address;
  const [tick, setTick] = useState(0);
  const again = useCallback(() => setTick((now) => now + 1), []);
  useEvery(millisecondsOf(refresh), again);
  const [alertTick, setAlertTick] = useState(0);
  useEvery(ALERTS_EVERY_MS, () => setAlertTick((now) => now + 1));

  // A new tick moves a range that ends now.
  const range = useMemo(() => rangeOf(from, to), [from, to, tick]);
  const choices = useChoices(board, address.variables, range);
  const variables = useStable(choices && patternsOf(choices));
  const regions = useRegions(board, range, variables);
  const zoom = useCallback((left: number, right: number) => move({ from: String(Math.round(left)), to: String(Math.round(right)) }), [move]);

  return (
    <main>
      <h1 className="hidden">{board.title}</h1>
      <div className="controls">
        <Variables
          choices={choices ?? []}
          onChoose={(name, values) => move({ variables: { ...address.variables, [name]: values } })}
        />
        <TimeControls
          from={from}
          to={to}
          range={range}
          refresh={refresh}
          onRange={(left, right) => move({ from: left, to: right })}
          onRefresh={(every) => move({ refresh: every })}
          onNow={again}
        />
      </div>
      <AlertBar tick={tick + alertTick} brief={address.viewPanel !== undefined} />
      {variables && (
        <Grid
          panels={board.panels}
          shown={address.viewPanel}
          onShown={(viewPanel) => move({ viewPanel })}
          range={range}
          variables={variables}
          regions={regions}
          onZoom={zoom}
        />
      )}
    </main>
  );
}

function rangeOf(from: string, to: string): TimeRange {
  const moment = (text: string) => (/^\d+$/.test(text) ? new Date(Number(text)).toISOString() : text);
  return rangeUtil.convertRawToRange({ from: moment(from), to: moment(to) });
}

function useChoices(board: Dashboard, chosen: Address['variables'], range: TimeRange): Choice[] | undefined {
  const [choices, setChoices] = useState(() => unasked(board, chosen));
  const asked = JSON.stringify(chosen);
  useEffect(() => {
    let here = true;
    loadChoices(board, JSON.parse(asked), range.from.unix(), range.to.unix()).then(
      (found) => here && setChoices(found),
      () => here && setChoices((old) => old ?? []), // panels say by themselves that nothing answers
    );
    return () => {
      here = false;
    };
  }, [board, asked, range]);
  return choices;
}

function useRegions(board: Dashboard, range: TimeRange, variables: Record<string, string> | undefined): Region[] {
  const [regions, setRegions] = useState<Region[]>([]);
  const theme = useTheme2();
  useEffect(() => {
    if (!variables) return;
    const stop = new AbortController();
    loadRegions(board, range, variables, theme, stop.signal).then(setRegions, () => undefined);
    return () => stop.abort();
  }, [board, range, variables, theme]);
  return regions;
}

/** The same object as long as its content is the same. */
function useStable<T>(value: T): T {
  const text = JSON.stringify(value);
  return useMemo(() => value, [text]);
}
