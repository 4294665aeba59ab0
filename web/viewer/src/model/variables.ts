import { labelValues } from '../api/prometheus';
import { ALL } from './address';
import { quoted } from './text';
import type { Dashboard, Variable } from './dashboard';

export type Values = Record<string, string>;
export interface Choice {
  variable: Variable;
  options: string[];
  chosen: string[];
}

const REFERENCE = /\$\{(\w+)(?::\w+)?\}|\$(\w+)/g;
const LABEL_VALUES = /^label_values\((?:(.+),\s*)?(\w+)\)$/s;

/** Substitute `$name` and `${name}`; unknown names stay. */
export function interpolate(text: string, values: Values): string {
  return text.replace(REFERENCE, (whole, braced, bare) => values[braced ?? bare] ?? whole);
}

/** A choice as a regular expression in a PromQL string: escaped for both. */
export function asPattern(choice: Choice): string {
  if (choice.chosen.includes(ALL)) return choice.variable.allValue ?? '.*';
  const patterns = choice.chosen.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const joined = patterns.length === 1 ? patterns[0]! : `(${patterns.join('|')})`;
  return joined.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

export function patternsOf(choices: Choice[]): Values {
  return Object.fromEntries(choices.map((choice) => [choice.variable.name, asPattern(choice)]));
}

/** Load the options of every query variable in order, since a later one may depend on an earlier one. */
export async function loadChoices(
  dashboard: Dashboard,
  chosen: Record<string, string[]>,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Choice[]> {
  const choices: Choice[] = [];
  for (const variable of dashboard.templating?.list ?? []) {
    if (variable.type !== 'query') continue;
    const options = await optionsOf(variable, patternsOf(choices), start, end, signal);
    choices.push({ variable, options, chosen: stillThere(variable, chosen[variable.name], options) });
  }
  return choices;
}

/** The same options with a new choice. */
export function chooseAgain(choices: Choice[], chosen: Record<string, string[]>): Choice[] {
  return choices.map(({ variable, options }) => ({ variable, options, chosen: stillThere(variable, chosen[variable.name], options) }));
}

/** Choices to query with before the options are loaded; undefined if a variable defaults to its first option. */
export function unasked(dashboard: Dashboard, chosen: Record<string, string[]>): Choice[] | undefined {
  const variables = (dashboard.templating?.list ?? []).filter((variable) => variable.type === 'query');
  const choices = variables.map((variable) => {
    const wanted = chosen[variable.name] ?? [];
    return { variable, options: wanted.filter((value) => value !== ALL), chosen: stillThere(variable, wanted, wanted) };
  });
  return choices.every((choice) => choice.chosen.length) ? choices : undefined;
}

async function optionsOf(
  variable: Variable,
  values: Values,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const query = typeof variable.query === 'string' ? variable.query : variable.query.query;
  const [, metric, label] = LABEL_VALUES.exec(query) ?? [];
  if (!label) return [];
  return labelValues(label, interpolate(metric ?? '{__name__!=""}', values), start, end, signal);
}

/** Choices in the address that are not among the options, one line for each variable. */
export function unknownChoices(choices: Choice[], asked: Record<string, string[]>): string[] {
  return choices.flatMap(({ variable, options }) => {
    const unknown = (asked[variable.name] ?? []).filter((value) => value !== ALL && !options.includes(value));
    if (!unknown.length) return [];
    const values = unknown.map(quoted).join(', ');
    return [`var-${variable.name}: ${values} has no data in this time range and is left out.`];
  });
}

/** The choices that exist; if none does, all, or the first option. */
export function stillThere(variable: Variable, chosen: string[] | undefined, options: string[]): string[] {
  const kept = (chosen ?? []).filter((value) => value === ALL || options.includes(value));
  if (kept.length) return kept.includes(ALL) ? [ALL] : kept;
  return variable.includeAll ? [ALL] : options.slice(0, 1);
}
