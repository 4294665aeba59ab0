import type { FileState, Reselection } from '../reselection/reselection';
import { errorText, size, texts } from '../i18n';
import { FileList } from './FileList';
import { FilePicker, useDropAndPaste } from './FilePicker';
import type { IconName } from './Icon';

const ICONS: Readonly<Record<FileState, IconName>> = { missing: 'file', changed: 'warning', found: 'check' };

/** Asks for the files of a transfer whose page was loaded again. */
export function ReselectionPanel({ reselection }: { reselection: Reselection }) {
  useDropAndPaste((items) => reselection.add(items));
  const words = texts.reselect;
  const { files, problem, canAsk } = reselection;
  return (
    <>
      <p class="lead">{words.lead}</p>
      {problem && (
        <p role="alert" class="problem">
          {errorText(problem, 'sender')}
        </p>
      )}
      <FileList
        label={words.files}
        files={files.map(({ file, state }) => ({
          path: file.path,
          detail: `${size(file.size)}, ${words[state]}`,
          icon: ICONS[state],
        }))}
      />
      {files.some(({ state }) => state === 'changed') && (
        <p role="alert" class="problem">
          {words.changedLead}
        </p>
      )}
      {canAsk && (
        <button type="button" class="primary wide" onClick={() => void reselection.open(true)}>
          {words.allow}
        </button>
      )}
      <FilePicker onItems={(items) => reselection.add(items)} small={canAsk} />
    </>
  );
}
