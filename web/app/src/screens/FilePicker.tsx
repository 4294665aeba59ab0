import { useEffect, useRef, useState } from 'preact/hooks';
import type { SendItem } from '../types';
import { texts } from '../i18n';
import { itemsOfInput, itemsOfTransfer, openFiles } from './chooseItems';
import { Icon } from './Icon';

interface FilePickerProps {
  readonly onItems: (items: SendItem[]) => void;
  /** Without it, there is no button for a text. */
  readonly onText?: () => void;
  readonly small: boolean;
}

/** Buttons and a place to choose or drop files and folders. */
export function FilePicker({ onItems, onText, small }: FilePickerProps) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (event: Event) => {
    const chosen = event.currentTarget as HTMLInputElement;
    onItems(itemsOfInput(chosen.files));
    chosen.value = ''; // the same file may be chosen again
  };
  const choose = async () => {
    const items = await openFiles();
    if (items === null) input.current?.click();
    else onItems(items);
  };
  return (
    <div
      class={`drop${over ? ' over' : ''}${small ? ' small' : ''}`}
      onDragEnter={() => setOver(true)}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={() => setOver(false)}
    >
      <p class="hint" aria-hidden="true">
        <Icon name="up" />
        {texts.send.drop}
      </p>
      <div class="row">
        <button type="button" class={small ? '' : 'primary'} onClick={choose}>
          {texts.send.files}
        </button>
        <button type="button" onClick={() => folder.current?.click()}>
          {texts.send.folder}
        </button>
        {onText && (
          <button type="button" onClick={onText}>
            {texts.send.text}
          </button>
        )}
      </div>
      <input ref={input} data-choose="files" type="file" multiple hidden onChange={take} />
      <input
        ref={(element) => {
          folder.current = element;
          if (element) element.webkitdirectory = true;
        }}
        data-choose="folder"
        type="file"
        multiple
        hidden
        onChange={take}
      />
    </div>
  );
}

/** Files may be dropped anywhere on the page, or pasted. */
export function useDropAndPaste(add: (items: readonly SendItem[]) => void): void {
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    const allow = (event: DragEvent) => event.preventDefault();
    const drop = async (event: DragEvent) => {
      event.preventDefault();
      if (event.dataTransfer) latest.current(await itemsOfTransfer(event.dataTransfer));
    };
    const paste = async (event: ClipboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
      if (event.clipboardData) latest.current(await itemsOfTransfer(event.clipboardData));
    };
    addEventListener('dragover', allow);
    addEventListener('drop', drop);
    addEventListener('paste', paste);
    return () => {
      removeEventListener('dragover', allow);
      removeEventListener('drop', drop);
      removeEventListener('paste', paste);
    };
  }, []);
}
