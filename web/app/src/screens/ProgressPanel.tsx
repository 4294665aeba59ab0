import type { Progress, Session } from '../types';
import { duration, number, size, texts } from '../i18n';

/** How far the transfer is, how fast, and how long it still takes. */
export function ProgressPanel({ progress, isInterrupted }: { progress: Progress; isInterrupted: boolean }) {
  const { bytes, total, bytesPerSecond, secondsLeft, file, files, filesDone } = progress;
  const moving = progress.phase === 'transferring' && !isInterrupted;
  return (
    <div class="progress">
      <progress
        aria-label={texts.progress.label}
        max={Math.max(total, 1)}
        value={total > 0 ? bytes : filesDone}
      />
      <p class="figures">
        <span>{texts.progress.amount(size(bytes), size(total))}</span>
        {moving && bytesPerSecond === 0 && bytes < total && <span>{texts.progress.stalled}</span>}
        {moving && bytesPerSecond !== null && bytesPerSecond > 0 && (
          <span>{texts.progress.speed(size(bytesPerSecond))}</span>
        )}
        {moving && secondsLeft !== null && <span>{texts.progress.left(duration(secondsLeft))}</span>}
      </p>
      {file !== null && (
        <p class="faint current">
          <span class="name" dir="auto">
            {file}
          </span>
          {files > 1 && <span>{texts.progress.files(number(filesDone), number(files))}</span>}
        </p>
      )}
    </div>
  );
}

/** Facts for whoever helps with a problem: the id is in the logs of the server and of the other side. */
export function TransferDetails({ session }: { session: Session }) {
  if (!session.correlationId) return null;
  return (
    <details class="details">
      <summary>{texts.progress.details}</summary>
      <dl>
        <dt>{texts.progress.id}</dt>
        <dd class="mono">{session.correlationId}</dd>
        {session.method && (
          <>
            <dt>{texts.progress.path}</dt>
            <dd>{session.method === 'p2p' ? texts.state.direct : texts.state.relay}</dd>
          </>
        )}
      </dl>
    </details>
  );
}
