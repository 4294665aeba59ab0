import { describe, expect, it } from 'vitest';
import guide from '../../../docs/viewer.md?raw';
import { SHORTCUTS, ShortcutMatcher } from '../src/model/shortcuts';

/** The actions of keys pressed 100 ms apart. */
function actions(...keys: string[]) {
  const matcher = new ShortcutMatcher();
  return keys.map((key, index) => matcher.press(key, index * 100)).filter(Boolean);
}

describe('shortcuts', () => {
  it('are Grafana’s own sequences', () => {
    expect(actions('t', 'z')).toEqual(['zoomOut']);
    expect(actions('t', 'ArrowLeft', 't', 'ArrowRight', 't', 'a', 't', '+', 't', '=')).toEqual(['earlier', 'later', 'absolute', 'zoomIn', 'zoomIn']);
    expect(actions('t', 'c', 't', 'v', 'c', 't', 'd', 'r', 'd', 'k', 'd', 'l')).toEqual(['copyRange', 'pasteRange', 'theme', 'refresh', 'kiosk', 'legends']);
    expect(actions('p', 'l', 'p', 'u', 'v', '?', 'Ctrl+z')).toEqual(['panelLegend', 'panelLink', 'viewPanel', 'help', 'zoomOut']);
  });
  it('have single keys, too', () => expect(actions('r', 'ArrowLeft', 'ArrowRight')).toEqual(['refresh', 'earlier', 'later']));
  it('restart with a key that does not continue the sequence', () => {
    expect(actions('t', 'x', 'z')).toEqual([]);
    expect(actions('t', 'd', 'r')).toEqual(['refresh']);
    expect(actions('t', 't', 'z')).toEqual(['zoomOut']);
  });
  it('time out after a second', () => {
    const matcher = new ShortcutMatcher();
    matcher.press('t', 0);
    expect(matcher.press('z', 1001)).toBeUndefined();
  });
  it('are listed in the guide', () => {
    const shown: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' };
    const named = SHORTCUTS.flatMap(({ shortcuts }) => shortcuts.flatMap(({ sequences }) => sequences));
    const texts = named.map((keys) => keys.map((key) => shown[key] ?? key.replace('Ctrl+', 'Ctrl ')).join(' '));
    expect(texts.filter((text) => !guide.includes(`\`${text}\``))).toEqual([]);
  });
  it('do one thing each', () => {
    const sequences = SHORTCUTS.flatMap(({ shortcuts }) => shortcuts.flatMap((shortcut) => shortcut.sequences.map((keys) => keys.join(' '))));
    expect(new Set(sequences).size).toBe(sequences.length);
    const beginnings = sequences.filter((keys) => sequences.some((other) => other.startsWith(`${keys} `)));
    expect(beginnings).toEqual([]); // a sequence that begins another would hide it
  });
});
