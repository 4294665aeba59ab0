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
        The keys are the same as Grafana’s. Press the keys of a sequence one after the other. Grafana’s shortcuts for editing
        have no effect: the viewer cannot change dashboards.
      </p>
    </Dialog>
  );
}

/** A key's label on the keyboard. */
const nameOf = (key: string) => NAMES[key] ?? key.replace('Ctrl+', 'Ctrl ');
