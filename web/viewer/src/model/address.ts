// The page's state in its URL, with Grafana's parameters: a link shows the same view in Grafana and here.
import { quoted } from './text';
import { ACCEPTED_TIMES, parseTime } from './timeRange';
import { millisecondsOf } from './timing';

export const ALL = '$__all';

export interface Address {
  uid: string;
  from?: string;
  to?: string;
  refresh?: string;
  viewPanel?: number;
  variables: Record<string, string[]>;
  /** The series selected in a panel's legend, by panel id. Panels that are not listed show all series. */
  legends?: Record<number, string[]>;
  /** Whether the navigation is hidden. */
  kiosk?: boolean;
}

const LEGEND = /^legend-(\d+)$/;

/** Parse an address. Unusable parameters are left out; {@link addressProblems} lists them. */
export function readAddress(path: string, search: string): Address {
  const asked = new URLSearchParams(search);
  const variables: Record<string, string[]> = {};
  const legends: Record<number, string[]> = {};
  for (const name of new Set(asked.keys())) {
    if (name.startsWith('var-')) variables[name.slice(4)] = asked.getAll(name);
    const panel = LEGEND.exec(name)?.[1];
    if (panel) legends[Number(panel)] = asked.getAll(name);
  }
  return {
    uid: decoded(/^\/d\/([^/]+)/.exec(path)?.[1] ?? ''),
    ...usableRange(asked),
    refresh: asked.get('refresh') ?? undefined,
    viewPanel: panelId(asked.get('viewPanel')),
    variables,
    legends: Object.keys(legends).length ? legends : undefined,
    kiosk: isOn(asked.get('kiosk')) || undefined,
  };
}

/** One line for each unusable parameter: its name, its value and what is accepted. */
export function addressProblems(search: string): string[] {
  const asked = new URLSearchParams(search);
  const problems: string[] = [];
  const check = (name: string, usable: (value: string) => boolean, accepted: string) => {
    const value = asked.get(name);
    if (value !== null && !usable(value)) problems.push(`${name}=${quoted(value)} is not usable: ${accepted}.`);
  };
  check('from', (value) => parseTime(value) !== undefined, `a time is ${ACCEPTED_TIMES}`);
  check('to', (value) => parseTime(value, true) !== undefined, `a time is ${ACCEPTED_TIMES}`);
  if (problems.length) problems.push("The dashboard's own time range is shown instead.");
  check('refresh', (value) => !value || millisecondsOf(value) > 0, 'an interval is 30s, 5m or 1h, and nothing for never');
  check('viewPanel', (value) => panelId(value) !== undefined, "it takes a panel's number");
  return problems;
}

/** Serialise an address; undefined parameters are left out. */
export function writeAddress(address: Address): string {
  const asked = new URLSearchParams();
  for (const [name, values] of Object.entries(address.variables)) {
    for (const value of values) asked.append(`var-${name}`, value);
  }
  if (address.from) asked.set('from', address.from);
  if (address.to) asked.set('to', address.to);
  if (address.refresh !== undefined) asked.set('refresh', address.refresh);
  if (address.viewPanel) asked.set('viewPanel', String(address.viewPanel));
  for (const [panel, names] of Object.entries(address.legends ?? {})) {
    for (const name of names) asked.append(`legend-${panel}`, name);
  }
  if (address.kiosk) asked.set('kiosk', '1');
  const search = asked.toString();
  return `/d/${encodeURIComponent(address.uid)}${search ? `?${search}` : ''}`;
}

/** The address of another dashboard with the same time range and variables, without panel and legends. */
export function otherDashboard(address: Address, uid: string): string {
  return writeAddress({ ...address, uid, viewPanel: undefined, legends: undefined });
}

/** Both ends or neither: a single end may lie beyond the dashboard's default for the other end. */
function usableRange(asked: URLSearchParams): Pick<Address, 'from' | 'to'> {
  const [from, to] = [asked.get('from') ?? undefined, asked.get('to') ?? undefined];
  const usable = [from, to].every((text) => text === undefined || parseTime(text) !== undefined);
  return usable ? { from, to } : { from: undefined, to: undefined };
}

function panelId(text: string | null): number | undefined {
  const id = Number(/(\d{1,9})$/.exec(text ?? '')?.[1]);
  return id > 0 ? id : undefined;
}

const isOn = (text: string | null) => text !== null && text !== '0' && text !== 'false';

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a malformed escape matches no dashboard, which is reported
  }
}
