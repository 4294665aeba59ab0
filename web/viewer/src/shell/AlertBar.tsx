import { type MouseEvent, useEffect, useMemo, useState } from 'react';
import { type Alert, type AlertState, loadAlerts } from '../api/alerts';
import { ago } from '../model/ago';
import { Inner } from './Inner';
import { useResource } from './useResource';

const STATES: AlertState[] = ['firing', 'pending', 'silenced', 'inhibited'];

/** The alerts that fire, are silenced or inhibited. `brief`: one line until it is opened. */
export function AlertBar({ tick, brief }: { tick: number; brief: boolean }) {
  const [begun, setBegun] = useState(tick);
  const load = useMemo(() => (signal: AbortSignal) => loadAlerts(signal), [begun]);
  const { value: found, error, loading } = useResource(load);
  useEffect(() => {
    if (!loading) setBegun(tick); // a load that takes longer than the interval is not aborted
  }, [loading, tick]);
  const [opened, setOpened] = useState<boolean>();
  if (!found || error) return null; // the page says already that Prometheus does not answer
  const counts = STATES.map((state) => [state, found.alerts.filter((alert) => alert.state === state).length] as const);
  const worst = found.alerts.find((alert) => alert.state === 'firing')?.severity ?? 'none';
  const open = opened ?? (worst === 'critical' && !brief && roomy());
  const toggle = (event: MouseEvent) => {
    event.preventDefault(); // React keeps the state
    setOpened(!open);
  };
  return (
    <section className="alerts" aria-label="Alerts">
      {found.warning && <p className="trouble">Nobody is told of alerts: {found.warning}.</p>}
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

/** Whether the list leaves room for the panels below it. */
const roomy = () => matchMedia('(width >= 900px)').matches;

function Row({ alert }: { alert: Alert }) {
  return (
    <li className={alert.state}>
      <span className={`severity severity-${alert.severity}`}>{alert.severity || '–'}</span>
      <strong>{alert.name}</strong>
      <span className="summary">{alert.summary}</span>
      <span className="faint">{[alert.state, alert.where, ago(Date.parse(alert.since), Date.now())].filter(Boolean).join(', ')}</span>
      <span className="links">
        {alert.panel && <Inner to={alert.panel} label={`Panel of ${alert.name}`}>Panel</Inner>}
        {alert.runbook && (
          <a href={alert.runbook} target="_blank" rel="noreferrer noopener" aria-label={`Runbook of ${alert.name}`}>
            Runbook
          </a>
        )}
      </span>
    </li>
  );
}
