import { ApiError, ask } from './client';
import type { Labels } from './prometheus';

export type AlertState = 'firing' | 'pending' | 'silenced' | 'inhibited';
export interface Alert {
  name: string;
  state: AlertState;
  severity: string;
  summary: string;
  where: string;
  since: string;
  panel?: string;
  runbook?: string;
}
export interface Alerts {
  alerts: Alert[];
  /** Set if Alertmanager should answer and does not: notifications are not delivered then. */
  warning?: string;
}

export interface PrometheusAlert {
  labels: Labels;
  annotations: Labels;
  state: 'firing' | 'pending' | 'inactive';
  activeAt: string;
}
export interface AlertmanagerAlert {
  labels: Labels;
  status: { silencedBy: string[]; inhibitedBy: string[] };
}

/** Prometheus's alerts, each with its state in Alertmanager. */
export async function loadAlerts(signal: AbortSignal): Promise<Alerts> {
  const [rules, held] = await Promise.allSettled([
    ask<{ data: { alerts: PrometheusAlert[] } }>('/api/prometheus/alerts', undefined, signal),
    ask<AlertmanagerAlert[]>('/api/alertmanager/alerts', undefined, signal),
  ]);
  if (rules.status === 'rejected') throw rules.reason;
  const absent = held.status === 'rejected' && held.reason instanceof ApiError && held.reason.status === 404;
  return {
    alerts: merge(rules.value.data.alerts, held.status === 'fulfilled' ? held.value : []),
    warning: held.status === 'rejected' && !absent ? String(held.reason.message) : undefined,
  };
}

/** Always fires, to prove that alerting works. */
const ALWAYS = 'Watchdog';

/** Prometheus's alerts, marked as silenced or inhibited by Alertmanager; the most severe first. */
export function merge(rules: PrometheusAlert[], held: AlertmanagerAlert[]): Alert[] {
  const states = new Map(held.map((alert) => [key(alert.labels), alert.status]));
  const order: AlertState[] = ['firing', 'pending', 'silenced', 'inhibited'];
  const severities = ['critical', 'warning', 'info'];
  const rank = (alert: Alert) => order.indexOf(alert.state) * 10 + (severities.indexOf(alert.severity) + 10) % 10;
  return rules
    .filter((alert) => alert.state !== 'inactive' && alert.labels.alertname !== ALWAYS)
    .map((alert) => toAlert(alert, states.get(key(alert.labels))))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

function toAlert(alert: PrometheusAlert, status?: AlertmanagerAlert['status']): Alert {
  const { alertname = '', severity = '', instance, job } = alert.labels;
  const state = status?.silencedBy.length ? 'silenced' : status?.inhibitedBy.length ? 'inhibited' : alert.state;
  return {
    name: alertname,
    state: state as AlertState,
    severity,
    summary: alert.annotations.summary ?? '',
    where: instance ?? job ?? '',
    since: alert.activeAt,
    panel: panelPath(alert.annotations.dashboard_url),
    runbook: webAddress(alert.annotations.runbook_url),
  };
}

const key = (labels: Labels) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The path and query of a dashboard URL, if it is a path of this viewer. The host is ignored. */
export function panelPath(address?: string): string | undefined {
  const url = parse(address);
  return url && /^\/d\/[\w-]+/.test(url.pathname) ? url.pathname + url.search : undefined;
}

/** An http or https URL, normalised; undefined for others, such as `javascript:`. */
export function webAddress(address?: string): string | undefined {
  const url = parse(address);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

function parse(address?: string): URL | undefined {
  if (!address) return undefined;
  try {
    return new URL(address, location.origin);
  } catch {
    return undefined;
  }
}
