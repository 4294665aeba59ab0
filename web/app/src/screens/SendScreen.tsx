import { useState } from 'preact/hooks';
import type { SendItem } from '../types';
import { contents, errorText, number, size, texts } from '../i18n';
import { settings } from '../settings/settings';
import type { Actions } from './App';
import { addItems, keepsMetadata, sizeOf, totalSize } from './chooseItems';
import { FileList, type ListedFile } from './FileList';
import { FilePicker, useDropAndPaste } from './FilePicker';

interface SendScreenProps {
  readonly chosen: readonly SendItem[];
  readonly onChoose: (items: SendItem[]) => void;
  readonly prepare: Actions['prepare'];
  /** Sends the prepared items. */
  readonly onSend: (items: SendItem[]) => void;
}

/** Choose files, folders or a text. */
export function SendScreen({ chosen, onChoose, prepare, onSend }: SendScreenProps) {
  const [writing, setWriting] = useState(false);
  const add = (items: readonly SendItem[]) => onChoose(addItems(chosen, items));
  useDropAndPaste(add);
  return (
    <section class="card">
      <h1 tabIndex={-1}>{texts.send.title}</h1>
      <p class="lead">{texts.send.lead}</p>
      {writing ? (
        <TextForm
          onText={(text) => (setWriting(false), add([{ kind: 'text', text }]))}
          onBack={() => setWriting(false)}
        />
      ) : (
        <FilePicker onItems={add} onText={() => setWriting(true)} small={chosen.length > 0} />
      )}
      {!writing && chosen.length > 0 && (
        <Chosen chosen={chosen} onChoose={onChoose} prepare={prepare} onSend={onSend} />
      )}
    </section>
  );
}

function TextForm({ onText, onBack }: { onText: (text: string) => void; onBack: () => void }) {
  const [text, setText] = useState('');
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text) onText(text);
      }}
    >
      <label for="text">{texts.send.textLabel}</label>
      <textarea
        id="text"
        rows={8}
        autoFocus
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="row">
        <button type="submit" class="primary" disabled={!text}>
          {texts.send.textUse}
        </button>
        <button type="button" onClick={onBack}>
          {texts.send.textCancel}
        </button>
      </div>
    </form>
  );
}

function Chosen({ chosen, onChoose, prepare, onSend }: SendScreenProps) {
  const [preparing, setPreparing] = useState(false);
  const [refused, setRefused] = useState<readonly string[]>([]);
  const [isUnreadable, setUnreadable] = useState(false);
  const what = {
    isText: chosen[0]?.kind === 'text',
    files: chosen.filter((item) => item.kind === 'file').length,
    folders: chosen.filter((item) => item.kind === 'folder').length,
  };
  const entries = chosen.filter((item) => item.kind !== 'folder' || isEmptyFolder(item.path, chosen));
  const warned = settings().keep_metadata === 'on' ? [] : chosen.filter(keepsMetadata);
  const send = async () => {
    if (preparing) return; // the button keeps the focus, which a disabled one would lose
    setPreparing(true);
    const prepared = await prepare(chosen).catch(() => null); // a file was changed or removed meanwhile
    setPreparing(false);
    setUnreadable(prepared === null);
    setRefused(prepared?.refused ?? []);
    if (prepared?.refused.length === 0) onSend(prepared.items);
  };
  return (
    <>
      <div class="heading">
        <h2>{texts.send.chosen}</h2>
        <span class="faint">{contents(what, totalSize(chosen))}</span>
        <button type="button" class="link" onClick={() => onChoose([])}>
          {texts.send.clear}
        </button>
      </div>
      <FileList
        label={texts.send.chosen}
        files={entries.map((item) => entryOf(item, () => onChoose(chosen.filter((other) => other !== item))))}
      />
      {warned.length > 0 && <p class="faint">{texts.send.keepsMetadata(named(warned.map(pathOf)))}</p>}
      {isUnreadable && (
        <p role="alert" class="problem" data-error="source_unreadable">
          {errorText('source_unreadable', 'sender')}
        </p>
      )}
      {refused.length > 0 && (
        <p role="alert" class="problem">
          {texts.send.metadataRefused(named(refused))}
        </p>
      )}
      <button type="button" class="primary wide" aria-disabled={preparing} onClick={send}>
        {preparing ? texts.state.preparing : texts.send.create}
      </button>
    </>
  );
}

const NAMED_FILES = 3;
const pathOf = (item: SendItem): string => (item.kind === 'text' ? texts.send.textItem : item.path);

/** The first names of a list, and how many more there are. */
function named(paths: readonly string[]): string {
  const more = paths.length - NAMED_FILES;
  const shown = paths.slice(0, NAMED_FILES).map(isolated).join(', ');
  return more > 0 ? `${shown} ${texts.send.more(number(more))}` : shown;
}

/** A name within a sentence: one that is written from right to left changes no other word's place. */
const isolated = (name: string): string => `\u2068${name}\u2069`;

const isEmptyFolder = (path: string, chosen: readonly SendItem[]): boolean =>
  !chosen.some((other) => other.kind !== 'text' && other.path.startsWith(`${path}/`));

function entryOf(item: SendItem, remove: () => void): ListedFile {
  const path = pathOf(item);
  const action = { label: texts.send.remove(path), icon: 'cross', run: remove, removes: true } as const;
  if (item.kind === 'folder') return { path, detail: texts.send.emptyFolder, icon: 'folder', action };
  return { path, detail: size(sizeOf(item)), icon: item.kind === 'text' ? 'text' : 'file', action };
}
