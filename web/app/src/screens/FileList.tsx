import { number, size, texts } from '../i18n';
import { Icon, type IconName } from './Icon';

const SHOWN = 100;

export interface ListedFile {
  readonly path: string;
  readonly detail: string;
  readonly icon: IconName;
  readonly action?: FileAction;
}

interface FileAction {
  readonly label: string;
  readonly icon: IconName;
  readonly run: () => void;
  /** The file leaves the list. */
  readonly removes?: boolean;
}

export const fileEntry = (path: string, bytes: number): ListedFile => ({
  path,
  detail: size(bytes),
  icon: 'file',
});

/** Names with sizes. A long list shows its beginning and says how much more there is. */
export function FileList({ files, label }: { files: readonly ListedFile[]; label: string }) {
  return (
    <>
      <ul class="files" aria-label={label}>
        {files.slice(0, SHOWN).map((file) => (
          <li key={file.path}>
            <Icon name={file.icon} />
            <span class="name" dir="auto" title={file.path}>
              {file.path}
            </span>
            <span class="detail">{file.detail}</span>
            {file.action && (
              <button
                type="button"
                class="quiet"
                aria-label={file.action.label}
                title={file.action.label}
                onClick={(event) => act(file.action!, event.currentTarget)}
              >
                <Icon name={file.action.icon} />
              </button>
            )}
          </li>
        ))}
      </ul>
      {files.length > SHOWN && <p class="faint">{texts.send.more(number(files.length - SHOWN))}</p>}
    </>
  );
}

/** Runs an action. If its file leaves the list, the focus goes to the same action of a file beside it. */
function act(action: FileAction, button: HTMLElement): void {
  const row = button.closest('li');
  const beside = row?.nextElementSibling ?? row?.previousElementSibling;
  if (action.removes) beside?.querySelector('button')?.focus();
  action.run();
}
