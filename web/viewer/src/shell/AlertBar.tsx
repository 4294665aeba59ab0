import { type MouseEvent, useEffect, useMemo, useState } from 'react';
import { type Alert, type AlertState, loadAlerts } from '../api/alerts';
import { relativeTime } from '../model/relativeTime';
import { InternalLink } from './InternalLink';
import { useResource } from './useResource';

const STATES: AlertState[] = ['firing', 'pending', 'silenced', 'inhibited'];

/** The list of alerts. `brief`: collapsed to one line until it is opened. */
export function AlertBar({ tick, brief }: { tick: number; brief: boolean }) {
  const [loadTick, setLoadTick] = useState(tick);
  const load = useMemo(() => (signal: AbortSignal) => loadAlerts(signal), [loadTick]);
  const { value: found, error, loading } = useResource(load);
  useEffect(() => {
    if (!loading) setLoadTick(tick); // a load that takes longer than the interval is not aborted
  }, [loading, tick]);
  const [opened, setOpened] = useState<boolean>();
  if (!found || error) return null; // the page already shows that Prometheus is not reachable
  const counts = STATES.map((state) => [state, found.alerts.filter((alert) => alert.state === state).length] as const);
  const worst = found.alerts.find((alert) => alert.state === 'firing')?.severity ?? 'none';
  const open = opened ?? (worst === 'critical' && !brief && hasSpaceForList());
  const toggle = (event: MouseEvent) => {
    event.preventDefault(); // React holds the state
    setOpened(!open);
  };
  return (
    <section className="alerts" aria-label="Alerts">
      {found.warning && <p className="trouble">Alerts are not delivered: {found.warning}.</p>}
      {found.alerts.length === 0 ? (
        <p className="calm">No alert fires.</p>
      ) : (
        <details className={`severity-${worst}`} open={open}>
          <summary onClick={toggle}>
            {counts.filter(([, count]) => count).map(([state, count]) => (
              <span key={state} className={`count ${state}`}>
                {count} {state}
              </span>
            ))}
            <span className="names">{[...new Set(found.alerts.map((alert) => alert.name))].join(', ')}</span>
          </summary>
          <ul>{found.alerts.map((alert, index) => <Row key={index} alert={alert} />)}</ul>
        </details>
      )}
    </section>
  );
}

/** Whether the screen is large enough for the list and the panels. */
const hasSpaceForList = () => matchMedia('(width >= 900px)').matches;

function Row({ alert }: { alert: Alert }) {
  return (
    <li className={alert.state}>
      <span className={`severity severity-${alert.severity}`}>{alert.severity || '–'}</span>
      <strong>{alert.name}</strong>
      <span className="summary">{alert.summary}</span>
      <span className="faint">{[alert.state, alert.where, relativeTime(Date.parse(alert.since), Date.now())].filter(Boolean).join(', ')}</span>
      <span className="links">
        {alert.panel && <InternalLink to={alert.panel} label={`Panel of ${alert.name}`}>Panel</InternalLink>}
        {alert.runbook && (
          <a href={alert.runbook} target="_blank" rel="noreferrer noopener" aria-label={`Runbook of ${alert.name}`}>
            Runbook
          </a>
        )}
      </span>
    </li>
  );
}
