import { Fragment } from 'react';
import { SHORTCUTS } from '../model/shortcuts';
import { Dialog } from './Dialog';

const NAMES: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', '-': '−' };

/** The list of keyboard shortcuts. */
export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <div className="shortcuts">
        {SHORTCUTS.map(({ category, shortcuts }) => (
          <section key={category}>
            <h3>{category}</h3>
            <dl>
              {shortcuts.map(({ action, description, sequences }) => (
                <div key={action}>
                  <dt>
                    {sequences.map((keys, index) => (
                      <Fragment key={keys.join()}>
                        {index > 0 && <span className="faint"> or </span>}
                        {keys.map((key) => <kbd key={key}>{nameOf(key)}</kbd>)}
                      </Fragment>
                    ))}
                  </dt>
                  <dd>{description}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="faint">
        The keys are Grafana’s, and of a sequence each is pressed after the other. Grafana’s shortcuts for editing do nothing
        here: the viewer changes no dashboard.
      </p>
    </Dialog>
  );
}

/** A key as it stands on the keyboard. */
const nameOf = (key: string) => NAMES[key] ?? key.replace('Ctrl+', 'Ctrl ');
