import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { language, number, texts } from '../i18n';
import { mayCollect } from '../telemetry/optOut';
import { listPending } from '../telemetry/pending';
import type { Metrics, Row } from '../telemetry/rows';
import { forgetReports, listReports, type SentReport } from '../telemetry/sentReports';

const words = texts.reports;

/** Exactly what this browser reported, and what waits to be reported. */
export function ReportsScreen({ onBack }: { onBack: () => void }) {
  const [sent, setSent] = useState<readonly SentReport[] | null>(null);
  const [pending, setPending] = useState<Metrics>({});
  useEffect(() => {
    void listReports().then(setSent);
    void listPending().then(setPending);
  }, []);
  const collects = mayCollect();
  return (
    <section class="card">
      <h1 tabIndex={-1}>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {!collects && <p>{words.off}</p>}
      {sent?.length === 0 && <p>{words.none}</p>}
      {sent?.map((report) => (
        <Report key={`${report.at} ${report.body}`} report={report} />
      ))}
      {collects && (
        <>
          <h2>{words.pending}</h2>
          {Object.keys(pending).length === 0 ? (
            <p class="faint">{words.pendingNone}</p>
          ) : (
            <Rows metrics={pending} />
          )}
        </>
      )}
      <div class="row actions">
        <button type="button" onClick={onBack}>
          {texts.action.back}
        </button>
        {sent !== null && sent.length > 0 && (
          <button type="button" onClick={() => void forgetReports().then(() => setSent([]))}>
            {words.clear}
          </button>
        )}
      </div>
    </section>
  );
}

function Report({ report }: { report: SentReport }) {
  const { metrics } = JSON.parse(report.body) as { metrics: Metrics };
  const at = new Date(report.at).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium' });
  return (
    <details class="report">
      <summary>
        <span>{at}</span>
        <span class="faint">{report.status === null ? '–' : words.answer(String(report.status))}</span>
      </summary>
      <Rows metrics={metrics} />
      <details>
        <summary>{words.raw}</summary>
        <pre tabIndex={0}>{report.body}</pre>
      </details>
    </details>
  );
}

function Rows({ metrics }: { metrics: Metrics }) {
  const rows = Object.entries(metrics).flatMap(([name, found]) => found.map((row) => [name, row] as const));
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={words.metric}>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.metric}</th>
            <th scope="col">{words.labels}</th>
            <th scope="col">{words.amount}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, row]) => (
            <tr key={`${name} ${labelsOf(row)}`}>
              <td>{breakable(name)}</td>
              <td>{breakable(labelsOf(row))}</td>
              <td>
                {number('value' in row ? row.value : row.buckets.reduce((total, count) => total + count, 0))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const labelsOf = (row: Row): string =>
  Object.entries(row.labels)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');

/** Names that may be broken after each of their words. */
const breakable = (names: string) =>
  names.split('_').map((word, index, { length }) => (
    <Fragment key={index}>
      {index < length - 1 ? `${word}_` : word}
      <wbr />
    </Fragment>
  ));
