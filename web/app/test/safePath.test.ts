import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { isTooNested, safePath, safePaths } from '../src/protocol/safePath';

const file = new URL('../../../tests/app/files/safe_paths.json', import.meta.url);
const table = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;

test.each(Object.entries(table))('%j is received as %j, as by the command line', (path, expected) => {
  expect(safePath(path)).toBe(expected);
});

test('equal paths get numbers before their extensions', () => {
  expect(safePaths(['a/b.txt', 'A/B.txt', 'a/b.txt', 'a/b (2).txt'])).toEqual([
    'a/b.txt',
    'A/B (2).txt',
    'a/b (3).txt',
    'a/b (2) (2).txt',
  ]);
});

test('a hundred thousand equal paths take time linear in their number', () => {
  const paths = safePaths(new Array<string>(100_000).fill('same.txt'));
  expect(new Set(paths).size).toBe(100_000);
});

test('a path may have a hundred folders', () => {
  expect(isTooNested(`${'a/'.repeat(100)}b`)).toBe(false);
  expect(isTooNested(`${'a/'.repeat(101)}b`)).toBe(true);
});
