import { useEffect, useRef, useState } from 'preact/hooks';
import type { ReceiveSession, Sink } from '../types';
import { size, texts } from '../i18n';
import { StorageSink } from '../sinks';
import { archiveName, baseName, download, type SavedFile } from '../sinks/savedFiles';
import { makeZip } from '../sinks/zip';
import { FileList } from './FileList';
import { Icon } from './Icon';
import { Copied } from './LinkPanel';
import type { SinkChoice } from './transfer';

/** What was received: the text, or where the files are. */
export function SavedPanel({ session, choice }: { session: ReceiveSession; choice: SinkChoice | null }) {
  if (session.text !== null) return <ReceivedText text={session.text} />;
  if (choice?.sink instanceof StorageSink) return <StoredFiles sink={choice.sink} />;
  return <p>{choice?.picked ? texts.receive.savedFolder : texts.receive.saved}</p>;
}

function ReceivedText({ text }: { text: string }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      setCopied(false); // not allowed: the text is selected
    }
  };
  return (
    <div class="stack">
      <label for="received">{texts.receive.text}</label>
      <textarea
        ref={field}
        id="received"
        readOnly
        rows={Math.min(12, text.split('\n').length + 1)}
        value={text}
      />
      <div class="row">
        <button type="button" onClick={copy}>
          <Icon name={copied ? 'check' : 'copy'} />
          {texts.receive.copyText}
        </button>
        <Copied shown={copied === true} />
      </div>
      {copied === false && <p role="alert">{texts.receive.copyFailed}</p>}
    </div>
  );
}

/** Sinks whose files were given to the browser once; a redraw must not do it again. */
const handedOver = new WeakSet<Sink>();

function StoredFiles({ sink }: { sink: StorageSink }) {
  const files = sink.saved;
  const single = files.length === 1 && sink.folders.length === 0 && !files[0]?.path.includes('/');
  const saveAll = () => (single ? save(files[0] as SavedFile) : void saveArchive(sink));
  useEffect(() => {
    if (handedOver.has(sink)) return;
    handedOver.add(sink);
    saveAll();
  }, [sink]);
  return (
    <>
      <p>{texts.receive.saved}</p>
      <FileList
        label={texts.state.doneReceive}
        files={files.map((file) => ({
          path: file.path,
          detail: size(file.blob.size),
          icon: 'file',
          action: { label: texts.receive.save(file.path), icon: 'down', run: () => save(file) },
        }))}
      />
      {!single && (
        <button type="button" onClick={saveAll}>
          {texts.receive.saveAll}
        </button>
      )}
      <p class="faint">{texts.receive.keptUntil}</p>
    </>
  );
}

const save = (file: SavedFile) => download(file.blob, baseName(file.path));

async function saveArchive(sink: StorageSink): Promise<void> {
  const folders = sink.folders.map((path) => ({
    path: `${path}/`,
    content: null,
    crc32: 0,
    modified: Date.now(),
  }));
  const files = [];
  for (const file of sink.saved)
    files.push({ path: file.path, content: file.blob, crc32: await file.crc32(), modified: file.modified });
  const paths = [...folders, ...files].map((entry) => entry.path);
  download(makeZip([...folders, ...files]), archiveName(paths));
}
