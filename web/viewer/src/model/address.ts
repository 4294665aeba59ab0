// What the page shows stands in its address, in Grafana's own parameters: links of either lead to the same view.

export const ALL = '$__all';

export interface Address {
  uid: string;
  from?: string;
  to?: string;
  refresh?: string;
  viewPanel?: number;
  variables: Record<string, string[]>;
}

const MOMENT = /^(now([-+]\d+[smhdwMy])?(\/[smhdwMy])?|\d{10,16}|\d{4}-\d{2}-\d{2}([T ][\d:.Z+-]+)?)$/;

/** Read an address; what makes no sense is left out. */
export function readAddress(path: string, search: string): Address {
  const asked = new URLSearchParams(search);
  const variables: Record<string, string[]> = {};
  for (const name of new Set(asked.keys())) {
    if (name.startsWith('var-')) variables[name.slice(4)] = asked.getAll(name);
  }
  const viewPanel = Number(/(\d+)$/.exec(asked.get('viewPanel') ?? '')?.[1]);
  return {
    uid: decodeURIComponent(/^\/d\/([^/]+)/.exec(path)?.[1] ?? ''),
    from: moment(asked.get('from')),
    to: moment(asked.get('to')),
    refresh: asked.get('refresh') ?? undefined,
    viewPanel: viewPanel > 0 ? viewPanel : undefined,
    variables,
  };
}

/** Write it; what is a dashboard's own default is left out. */
export function writeAddress(address: Address): string {
  const asked = new URLSearchParams();
  for (const [name, values] of Object.entries(address.variables)) {
    for (const value of values) asked.append(`var-${name}`, value);
  }
  if (address.from) asked.set('from', address.from);
  if (address.to) asked.set('to', address.to);
  if (address.refresh !== undefined) asked.set('refresh', address.refresh);
  if (address.viewPanel) asked.set('viewPanel', String(address.viewPanel));
  const search = asked.toString();
  return `/d/${encodeURIComponent(address.uid)}${search ? `?${search}` : ''}`;
}

function moment(text: string | null): string | undefined {
  return text && MOMENT.test(text) ? text : undefined;
}
