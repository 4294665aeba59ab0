import { useMemo, useState } from 'react';
import { ApiError } from '../api/client';
import { type Dashboard, listDashboards, type Listed, loadDashboard } from '../model/dashboard';
import { quoted } from '../model/text';
import { useEvery } from './hooks';
import { useResource } from './useResource';

const RETRY_MS = 5000;
const NONE: Listed[] = [];

interface Dashboards {
  listed: Listed[];
  /** The requested dashboard, once it is loaded. */
  dashboard?: Dashboard;
  /** Its title, known from the list before the dashboard is loaded. */
  title?: string;
  /** Why it cannot be shown. */
  reason?: string;
  error?: Error;
}

/** The list of dashboards, and the dashboard with a uid. Requests are retried while the server is unreachable. */
export function useDashboards(uid: string): Dashboards {
  const [attempt, setAttempt] = useState(0);
  const list = useResource(useMemo(() => (signal: AbortSignal) => listDashboards(signal), [attempt]));
  const known = list.value?.find((listed) => listed.uid === uid);
  const load = useMemo(() => (known && !known.reason ? (signal: AbortSignal) => loadDashboard(known.uid, signal) : undefined), [known]);
  const { value, error: failure } = useResource(load);
  const error = list.error ?? (load && failure);
  useEvery(error instanceof ApiError && error.unreachable ? RETRY_MS : 0, () => setAttempt((now) => now + 1));
  const unknown = list.value && uid && !known;
  return {
    listed: list.value ?? NONE,
    dashboard: load && value?.uid === uid ? value : undefined,
    title: unknown ? 'No such dashboard' : known?.title,
    reason: unknown ? `There is no dashboard ${quoted(uid)} here.` : known?.reason,
    error,
  };
}
