import type { TimeRange } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { loadRegions, type Region } from '../data/annotations';
import type { Address } from '../model/address';
import type { Dashboard } from '../model/dashboard';
import { type Choice, chooseAgain, loadChoices, patternsOf, unasked, unknownChoices, type Values } from '../model/variables';
import { useResource } from './useResource';

interface DashboardData {
  choices: Choice[];
  /** What queries put for the variables; undefined until they are known. */
  variables?: Values;
  regions: Region[];
  /** Choices of the address that cannot be made. */
  problems: string[];
}

const NONE: Region[] = [];

/** What the panels of a dashboard share: the variables with their options, and the regions behind graphs. */
export function useDashboardData(dashboard: Dashboard, chosen: Address['variables'], range: TimeRange): DashboardData {
  const asked = JSON.stringify(chosen);
  const load = useMemo(
    () => (signal: AbortSignal) => loadChoices(dashboard, JSON.parse(asked), range.from.unix(), range.to.unix(), signal),
    [dashboard, asked, range],
  );
  const { value, error, loading } = useResource(load);
  const choices = useMemo(() => {
    const wanted: Address['variables'] = JSON.parse(asked);
    // Panels ask at once with what the address says; the options known last decide until the new ones are there.
    return value ? chooseAgain(value, wanted) : unasked(dashboard, wanted);
  }, [dashboard, asked, value]) ?? (error ? [] : undefined); // without any, panels say that nothing answers
  const variables = useStable(choices && patternsOf(choices));
  const regions = useRegions(dashboard, range, variables);
  const problems = loading || !value ? [] : unknownChoices(value, chosen);
  return { choices: choices ?? [], variables, regions, problems };
}

function useRegions(dashboard: Dashboard, range: TimeRange, variables: Values | undefined): Region[] {
  const theme = useTheme2();
  const load = useMemo(
    () => variables && ((signal: AbortSignal) => loadRegions(dashboard, range, variables, theme, signal)),
    [dashboard, range, variables, theme],
  );
  return useResource(load).value ?? NONE;
}

/** The same object as long as its content is the same. */
function useStable<T>(value: T): T {
  const text = JSON.stringify(value);
  return useMemo(() => value, [text]);
}
