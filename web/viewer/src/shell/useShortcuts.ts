import { useEffect, useRef } from 'react';
import { type Action, ShortcutMatcher } from '../model/shortcuts';

export type Actions = Partial<Record<Action, () => void>>;

/** Run actions on their shortcuts while the calling component is mounted. */
export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const matcher = new ShortcutMatcher();
    const press = (event: KeyboardEvent) => {
      const key = keyOf(event);
      if (!key || event.defaultPrevented || isHandledByElement(event.target, key)) return;
      const action = matcher.press(key, event.timeStamp);
      const run = action && latest.current[action];
      if (!run) return;
      event.preventDefault();
      run();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

/** The number of the panel under the pointer or with the focus. */
export function focusedPanel(): number | undefined {
  const found = document.querySelector('[data-panel]:hover') ?? document.activeElement?.closest('[data-panel]');
  return Number(found?.getAttribute('data-panel')) || undefined;
}

/** The key's name in shortcuts; undefined for modifiers alone and for combinations of the browser. */
function keyOf(event: KeyboardEvent): string | undefined {
  if (event.isComposing || ['Shift', 'Control', 'Alt', 'Meta', 'AltGraph', 'CapsLock'].includes(event.key)) return undefined;
  if (event.metaKey || (event.altKey && !event.getModifierState('AltGraph'))) return undefined;
  const key = event.shiftKey || event.key.length > 1 ? event.key : event.key.toLowerCase(); // Caps Lock must not act as Shift
  if (event.ctrlKey && !event.getModifierState('AltGraph')) return key.length === 1 ? `Ctrl+${key}` : undefined;
  return key;
}

/** Whether a dialog or the focused element (text field, list, grid) handles the key itself. */
function isHandledByElement(target: EventTarget | null, key: string): boolean {
  if (document.querySelector('dialog[open]')) return true;
  if (!(target instanceof Element)) return false;
  if (target.closest('input:not([type=checkbox]), select, textarea, [contenteditable]')) return true;
  return key.startsWith('Arrow') && target.closest('[role=grid], input') !== null;
}
