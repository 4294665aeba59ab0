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
  /** Values of the variables in queries; undefined until they are known. */
  variables?: Values;
  regions: Region[];
  /** Messages about choices in the address that do not exist. */
  problems: string[];
}

const NONE: Region[] = [];

/** The data that all panels of a dashboard share: variables with their options, and annotation regions. */
export function useDashboardData(dashboard: Dashboard, chosen: Address['variables'], range: TimeRange): DashboardData {
  const asked = JSON.stringify(chosen);
  const load = useMemo(
    () => (signal: AbortSignal) => loadChoices(dashboard, JSON.parse(asked), range.from.unix(), range.to.unix(), signal),
    [dashboard, asked, range],
  );
  const { value, error, loading } = useResource(load);
  const choices = useMemo(() => {
    const wanted: Address['variables'] = JSON.parse(asked);
    // Panels query immediately with the choices in the address, checked against the last known options.
    return value ? chooseAgain(value, wanted) : unasked(dashboard, wanted);
  }, [dashboard, asked, value]) ?? (error ? [] : undefined); // without choices, panels show that nothing answers
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

/** Returns the same object while its content is equal. */
function useStable<T>(value: T): T {
  const text = JSON.stringify(value);
  return useMemo(() => value, [text]);
}
