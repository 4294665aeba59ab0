// Keyboard shortcuts, the same as Grafana's. Keys have the names of `KeyboardEvent.key`.

export type Action =
  | 'help' | 'home' | 'theme' | 'leave'
  | 'earlier' | 'later' | 'zoomIn' | 'zoomOut' | 'absolute' | 'copyRange' | 'pasteRange'
  | 'refresh' | 'kiosk' | 'legends'
  | 'viewPanel' | 'panelLegend' | 'panelLink';

export interface Shortcut {
  action: Action;
  description: string;
  /** Alternative sequences of keys pressed one after the other. */
  sequences: string[][];
}
export interface ShortcutGroup {
  category: string;
  shortcuts: Shortcut[];
}

const shortcut = (action: Action, description: string, ...sequences: string[]): Shortcut => ({
  action,
  description,
  sequences: sequences.map((keys) => keys.split(' ')),
});

export const SHORTCUTS: ShortcutGroup[] = [
  {
    category: 'Global',
    shortcuts: [
      shortcut('help', 'Show all keyboard shortcuts', '?'),
      shortcut('home', 'Go to the first dashboard', 'g h'),
      shortcut('theme', 'Change theme', 'c t'),
      shortcut('leave', 'Leave a panel or kiosk mode', 'Escape'),
    ],
  },
  {
    category: 'Time range',
    shortcuts: [
      shortcut('zoomOut', 'Zoom out', 't z', 't -', 'Ctrl+z'),
      shortcut('zoomIn', 'Zoom in', 't +', 't ='),
      shortcut('earlier', 'Move back', 't ArrowLeft', 'ArrowLeft'),
      shortcut('later', 'Move forward', 't ArrowRight', 'ArrowRight'),
      shortcut('absolute', 'Make absolute', 't a'),
      shortcut('copyRange', 'Copy', 't c'),
      shortcut('pasteRange', 'Paste', 't v'),
    ],
  },
  {
    category: 'Dashboard',
    shortcuts: [
      shortcut('refresh', 'Refresh all panels', 'd r', 'r'),
      shortcut('kiosk', 'Toggle kiosk mode, without navigation', 'd k'),
      shortcut('legends', 'Toggle all legends', 'd l'),
    ],
  },
  {
    category: 'Panel under the pointer, or with focus',
    shortcuts: [
      shortcut('viewPanel', 'View alone, or all again', 'v'),
      shortcut('panelLegend', 'Toggle legend', 'p l'),
      shortcut('panelLink', 'Copy link', 'p u'),
    ],
  },
];

/** The time limit for the next key of a sequence. */
const SEQUENCE_MS = 1000;

const ALL = SHORTCUTS.flatMap(({ shortcuts }) => shortcuts);
const ACTIONS = new Map(ALL.flatMap(({ action, sequences }) => sequences.map((keys) => [keys.join(' '), action] as const)));
const BEGINNINGS = new Set(ALL.flatMap(({ sequences }) => sequences.flatMap((keys) => keys.slice(1).map((_, length) => keys.slice(0, length + 1).join(' ')))));

/** Recognises key sequences. */
export class ShortcutMatcher {
  private typed: string[] = [];
  private last = -Infinity;

  /** The action that `key` completes, if any; `at` is the time of the key press in milliseconds. */
  press(key: string, at: number): Action | undefined {
    const before = at - this.last > SEQUENCE_MS ? [] : this.typed;
    this.last = at;
    this.typed = [];
    for (const keys of before.length ? [[...before, key], [key]] : [[key]]) {
      const action = ACTIONS.get(keys.join(' '));
      if (action) return action;
      if (BEGINNINGS.has(keys.join(' '))) {
        this.typed = keys;
        return undefined;
      }
    }
    return undefined;
  }
}
