import { useEffect, useState } from 'preact/hooks';
import type { OfferedFiles, ReceiveSession } from '../types';
import { contents, duration, number, texts } from '../i18n';
import { canPickFile, canPickFolder, defaultSink, pickSink } from '../sinks';
import { baseName } from '../sinks/savedFiles';
import { fileEntry, FileList, type ListedFile } from './FileList';
import type { SinkChoice } from './transfer';

/** What the sender offers, and the question whether to accept it. */
export function OfferPanel({ session, offered, onAccept }: OfferPanelProps) {
  const [problem, setProblem] = useState('');
  const accept = async () => onAccept({ sink: await defaultSink(offered), picked: false });
  const pick = async () => {
    try {
      const only = offered.files.length === 1 && offered.folders.length === 0 ? offered.files[0] : undefined;
      const sink = await pickSink(only ? baseName(only.path) : null);
      if (sink) onAccept({ sink, picked: true });
    } catch {
      setProblem(texts.receive.pickerFailed);
    }
  };
  const { files, folders, links, isText, totalBytes } = offered;
  return (
    <>
      <p class="lead">{contents({ isText, files: files.length, folders: folders.length }, totalBytes)}</p>
      {!isText && <FileList label={texts.receive.offered} files={entriesOf(files, folders)} />}
      {links.length > 0 && (
        <p class="faint">
          {texts.receive.links(`${number(links.length)} ${texts.unit.links(links.length)}`)}
        </p>
      )}
      <div class="row">
        <button type="button" class="primary" onClick={accept}>
          {texts.receive.accept}
        </button>
        {!isText && (canPickFolder() || canPickFile()) && (
          <button type="button" onClick={pick}>
            {texts.receive.saveTo}
          </button>
        )}
        <button type="button" onClick={() => void session.decline()}>
          {texts.receive.decline}
        </button>
      </div>
      {problem && <p role="alert">{problem}</p>}
      {session.confirmationSeconds !== null && <Countdown seconds={session.confirmationSeconds} />}
    </>
  );
}

interface OfferPanelProps {
  readonly session: ReceiveSession;
  readonly offered: OfferedFiles;
  readonly onAccept: (choice: SinkChoice) => void;
}

function entriesOf(files: OfferedFiles['files'], folders: OfferedFiles['folders']): ListedFile[] {
  const empty = folders.filter((path) => !files.some((file) => file.path.startsWith(`${path}/`)));
  return [
    ...files.map((file) => fileEntry(file.path, file.size)),
    ...empty.map((path) => ({ path, detail: texts.send.emptyFolder, icon: 'folder' as const })),
  ];
}

/** The time that is left to answer. It is not announced each second. */
function Countdown({ seconds }: { seconds: number }) {
  const [end] = useState(() => Date.now() + seconds * 1000);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <p class="faint">{texts.receive.secondsLeft(duration(Math.max(1, (end - now) / 1000)))}</p>;
}
