import { describe, expect, test } from 'vitest';

import { utf8 } from '../src/crypto/bytes';
import { decodeManifest, encodeManifest, type Manifest, MAX_ENTRIES } from '../src/protocol/manifest';
import { decodeResumeOffer, encodeResumeOffer } from '../src/protocol/resumeOffer';

const attributes = { mode: 0o644, modified: '1700000000.123000000' };
const file = { path: 'a/é.txt', size: 3, sha256: 'ab'.repeat(32), ...attributes };
const manifest: Manifest = {
  files: [file, { ...file, path: 'b', size: 2 ** 40 }],
  folders: [{ path: 'a', ...attributes }],
  links: [{ path: 'a/link', target: 'é.txt' }],
  isText: false,
};
const line = (fields: object): string => `${JSON.stringify(fields)}\n`;
const { path, ...rest } = file;
const valid = { file: path, ...rest };

test('a manifest survives its encoding', () => {
  expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
});

describe('a manifest is refused with', () => {
  test.each<[string, string]>([
    ['no entry', ''],
    ['a line without end', line(valid).trimEnd()],
    ['a line that is no object', '[]\n'],
    ['a line that is no JSON', '{\n'],
    ['a line that is no UTF-8', '\xff\n'],
    ['an unknown entry', line({ device: 'x' })],
    ['an unknown field', line({ ...valid, owner: 'root' })],
    ['an empty path', line({ ...valid, file: '' })],
    ['a path that is too long', line({ ...valid, file: 'x'.repeat(4097) })],
    ['a negative size', line({ ...valid, size: -1 })],
    ['a size that is no whole number', line({ ...valid, size: 1.5 })],
    ['a size beyond exact numbers', line({ ...valid, size: 2 ** 60 })],
    ['a hash of another form', line({ ...valid, sha256: 'AB'.repeat(32) })],
    ['a set-user-id bit', line({ ...valid, mode: 0o4755 })],
    ['a time without nanoseconds', line({ ...valid, modified: '1700000000' })],
    ['an absolute link', line(valid) + line({ link: 'a/l', target: '/etc/passwd' })],
    ['a link that leads out', line(valid) + line({ link: 'a/l', target: '../b' })],
    ['a link to its top folder', line(valid) + line({ link: 'a/l', target: '.' })],
    ['two files as a text', line({ text: true }) + line(valid) + line(valid)],
    ['a line that is too long', line({ ...valid, sparse: 'x'.repeat(33_000) })],
    ['too many entries', line({ folder: 'a', ...attributes }).repeat(MAX_ENTRIES + 1)],
  ])('%s', (name, text) => {
    const document = name.includes('UTF-8') ? Uint8Array.of(0xff, 10) : utf8(text);
    expect(() => decodeManifest(document)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

test('a link inside its folder is accepted', () => {
  const text = line(valid) + line({ link: 'a/b/l', target: '../c/./d' });
  expect(decodeManifest(utf8(text)).links).toEqual([{ path: 'a/b/l', target: '../c/./d' }]);
});

test("the receiver's answer survives its encoding", () => {
  const answer = { partial: new Map([[1, 5]]), complete: new Set([0]) };
  const document = encodeResumeOffer(answer);
  expect(new TextDecoder().decode(document)).toBe('{"have":[[1,5]],"done":"80"}');
  expect(decodeResumeOffer(document, manifest)).toEqual(answer);
});

describe('an answer is refused with', () => {
  test.each<[string, string]>([
    ['no object', '[]'],
    ['a missing field', '{"have":[]}'],
    ['an unknown field', '{"have":[],"done":"","more":1}'],
    ['a file that was not offered', '{"have":[[2,0]],"done":""}'],
    ['a complete file that was not offered', '{"have":[],"done":"20"}'],
    ['more bytes than the file has', '{"have":[[0,4]],"done":""}'],
    ['a fraction of a byte', '{"have":[[0,0.5]],"done":""}'],
    ['no hexadecimal digits', '{"have":[],"done":"x0"}'],
  ])('%s', (_, text) => {
    expect(() => decodeResumeOffer(utf8(text), manifest)).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    );
  });
});
