/** Files that are chosen again after a reload, and what a tab keeps for that. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  forgetSelection,
  keepSelection,
  selectionId,
  storedSelection,
} from '../src/reselection/storedSelection';
import { loseItems, Reselection } from '../src/reselection/reselection';
import type { SendItem } from '../src/types';
import { MemoryStorage } from './memoryStorage';

const fileItem = (path: string, content: string, lastModified = 1000): SendItem & { kind: 'file' } => ({
  kind: 'file',
  path,
  file: new File([content], path.split('/').at(-1)!, { lastModified }),
});

const chosen: SendItem[] = [
  { kind: 'folder', path: 'album' },
  fileItem('album/one.jpg', 'one'),
  fileItem('album/two.jpg', 'three'),
  fileItem('notes.txt', 'text', 2000),
];

beforeEach(() => {
  globalThis.sessionStorage = new MemoryStorage();
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'sessionStorage');
});

async function reselect(
  items: readonly SendItem[] = chosen,
  prepare: (items: readonly SendItem[]) => Promise<readonly SendItem[]> = async (given) => given,
): Promise<Reselection> {
  await keepSelection('an id', items, false);
  return new Reselection((await storedSelection())!, null, prepare);
}

const states = (reselection: Reselection): string[] => reselection.files.map(({ state }) => state);

describe('what a tab keeps of a selection', () => {
  test('has paths, sizes and times, and no content of files', async () => {
    await keepSelection('an id', chosen, true);
    expect(await storedSelection()).toEqual({
      id: 'an id',
      keepsMetadata: true,
      items: [
        { kind: 'folder', path: 'album' },
        { kind: 'file', path: 'album/one.jpg', size: 3, modified: 1000 },
        { kind: 'file', path: 'album/two.jpg', size: 5, modified: 1000 },
        { kind: 'file', path: 'notes.txt', size: 4, modified: 2000 },
      ],
    });
  });

  test('is removed by its own id only', async () => {
    await keepSelection('first', chosen, false);
    await keepSelection('second', [{ kind: 'text', text: 'a' }], false);
    await forgetSelection('first');
    expect((await storedSelection())?.id).toBe('second');
    await forgetSelection('second');
    expect(sessionStorage.length).toBe(0);
  });

  test('leaves space for the state of the transfer', async () => {
    const storage = sessionStorage as MemoryStorage;
    await keepSelection('first', chosen, false);
    storage.capacity = sessionStorage.getItem('tallow.selection')!.length + 1000;
    const state = 'x'.repeat(900);
    for (const items of [chosen, [{ kind: 'text' as const, text: 'a'.repeat(300) }]]) {
      await keepSelection('second', items, false);
      sessionStorage.setItem('tallow.transfer', state);
      expect([await storedSelection(), selectionId()]).toEqual([null, 'second']); // there is no database here
    }
    await forgetSelection('second');
    expect([selectionId(), sessionStorage.length]).toEqual([null, 1]);
  });

  test('is nothing if the storage is full or another page has written it', async () => {
    await keepSelection('first', chosen, false);
    (sessionStorage as MemoryStorage).isFull = true;
    await keepSelection('second', chosen, false);
    expect(await storedSelection()).toBeNull();
    for (const text of ['', '[]', '{"id": 1, "items": []}', '{"id": "a", "items": [{"kind": "file"}]}']) {
      (sessionStorage as MemoryStorage).isFull = false;
      sessionStorage.setItem('tallow.selection', text);
      expect(await storedSelection()).toBeNull();
    }
  });
});

describe('files that are chosen again', () => {
  test('are given in the first order, once all are there', async () => {
    const reselection = await reselect();
    const asked = reselection.choose(null);
    reselection.add([fileItem('notes.txt', 'text', 2000), fileItem('other.txt', 'x')]);
    expect(states(reselection)).toEqual(['missing', 'missing', 'found']);
    expect(reselection.isOpen).toBe(true);
    reselection.add([fileItem('album/two.jpg', 'three'), fileItem('album/one.jpg', 'one')]);
    const items = await asked;
    expect(items.map((item) => item.kind === 'file' && item.path)).toEqual([
      false,
      'album/one.jpg',
      'album/two.jpg',
      'notes.txt',
    ]);
    expect(reselection.isOpen).toBe(false);
  });

  test('of another size or time are changed, and the right one replaces them', async () => {
    const reselection = await reselect([fileItem('notes.txt', 'text', 2000)]);
    for (const wrong of [fileItem('notes.txt', 'texts', 2000), fileItem('notes.txt', 'text', 2001)]) {
      reselection.add([wrong]);
      expect(states(reselection)).toEqual(['changed']);
    }
    reselection.add([fileItem('notes.txt', 'text', 2000)]);
    expect(states(reselection)).toEqual(['found']);
    reselection.add([fileItem('notes.txt', 'texts', 2000)]);
    expect(states(reselection)).toEqual(['found']);
  });

  test('may come without their folder', async () => {
    const reselection = await reselect();
    reselection.add([fileItem('one.jpg', 'one')]);
    expect(states(reselection)).toEqual(['found', 'missing', 'missing']);
  });

  test('are asked for again after a refusal', async () => {
    const reselection = await reselect([fileItem('notes.txt', 'text', 2000)]);
    const first = reselection.choose(null);
    reselection.add([fileItem('notes.txt', 'text', 2000)]);
    await first;
    const second = reselection.choose('other_files');
    expect([reselection.problem, states(reselection)]).toEqual(['other_files', ['missing']]);
    const right = fileItem('notes.txt', 'TEXT', 2000);
    reselection.add([right]);
    expect(await second).toEqual([right]);
  });

  test('that cannot be read are asked for again', async () => {
    let failures = 1;
    const reselection = await reselect([fileItem('notes.txt', 'text', 2000)], async (items) => {
      if (failures-- > 0) throw new DOMException('gone', 'NotReadableError');
      return items;
    });
    const asked = reselection.choose(null);
    reselection.add([fileItem('notes.txt', 'text', 2000)]);
    await new Promise((resolve) => setTimeout(resolve));
    expect([reselection.problem, reselection.isOpen]).toEqual(['source_unreadable', true]);
    reselection.add([fileItem('notes.txt', 'text', 2000)]);
    expect(await asked).toHaveLength(1);
  });

  test('cannot be asked for if their names are lost', async () => {
    await expect(loseItems(null)).rejects.toMatchObject({ code: 'selection_lost' });
  });

  test('are not needed for a text', async () => {
    const reselection = await reselect([{ kind: 'text', text: 'grüße' }]);
    expect(reselection.isOpen).toBe(false);
    expect(await reselection.choose(null)).toEqual([{ kind: 'text', text: 'grüße' }]);
  });
});
