/** Files over a connection in memory: what the sink is told, and what the other side learns. */

import { describe, expect, test, vi } from 'vitest';

import { SecureChannel } from '../src/connection/secureChannel';
import { type Bytes, randomBytes, toHex, utf8 } from '../src/crypto/bytes';
import { abortCode } from '../src/crypto/errors';
import { FrameType } from '../src/crypto/frames';
import { sha256 } from '../src/crypto/kdf';
import { size } from '../src/i18n';
import { de } from '../src/i18n/de';
import { en } from '../src/i18n/en';
import { DownloadSink, MAX_MEMORY_BYTES } from '../src/sinks/downloadSink';
import type { FileEntry, Manifest } from '../src/protocol/manifest';
import { FileReceiver } from '../src/transfer/fileReceiver';
import { FileSender } from '../src/transfer/fileSender';
import { ProgressMeter } from '../src/transfer/progressMeter';
import { StateStore } from '../src/transfer/storedState';
import type { FileWriter, IncomingFile, Sink } from '../src/types';
import type { CryptoService } from '../src/worker/client';
import { TransferCrypto } from '../src/worker/transferCrypto';
import { MemoryChannel } from './memoryChannel';

const link = { server: 'https://tallow.example', room: 'a'.repeat(16), secret: randomBytes(16) };
const LINK = 'https://tallow.example/#abcdefgh234567ab.AAECAwQFBgcICQoLDA0ODw';

/** Records what it is told. */
class RecordingSink implements Sink {
  readonly committed = new Map<string, string>();
  readonly calls: string[] = [];
  failure: DOMException | null = null;

  constructor(private readonly kept: Blob | null = null) {}

  async open({ path }: IncomingFile): Promise<FileWriter> {
    const pieces: BlobPart[] = this.kept ? [this.kept] : [];
    this.calls.push(`open ${path}`);
    return {
      kept: this.kept,
      write: async (chunk) => {
        if (this.failure !== null) throw this.failure;
        pieces.push(chunk);
      },
      commit: async () => void this.committed.set(path, await new Blob(pieces).text()),
      discard: async () => void this.calls.push(`discard ${path}`),
      suspend: async () => void this.calls.push(`suspend ${path}`),
    };
  }

  async makeFolder(path: string): Promise<void> {
    this.calls.push(`folder ${path}`);
  }

  async isComplete(): Promise<boolean> {
    return true;
  }
}

const service = (): CryptoService => Object.assign(new TransferCrypto(() => {}), { terminate: () => {} });
const meter = (): ProgressMeter => new ProgressMeter(() => {});

async function entry(path: string, content: string): Promise<FileEntry> {
  const digest = toHex(await sha256(utf8(content)));
  return { path, size: utf8(content).length, sha256: digest, mode: 0o644, modified: '0.000000000' };
}

interface ConnectedPair {
  sender: FileSender;
  receiver: FileReceiver;
  secure: [SecureChannel, SecureChannel];
  channels: [MemoryChannel, MemoryChannel];
}

/** `crypto`: the receiver's, which lasts for several connections of a session. */
async function connect(
  contents: Record<string, string>,
  sink: Sink,
  {
    announced,
    crypto = service(),
    blobs = Object.values(contents).map((content) => new Blob([content])),
  }: { announced?: FileEntry[]; crypto?: CryptoService; blobs?: Blob[] } = {},
): Promise<ConnectedPair> {
  const channels = MemoryChannel.pair();
  const cryptos = [service(), crypto] as const;
  const secure = await Promise.all([
    SecureChannel.create(channels[0], 'sender', link, cryptos[0]),
    SecureChannel.create(channels[1], 'receiver', link, cryptos[1]),
  ]);
  const files = announced ?? (await Promise.all(Object.entries(contents).map((pair) => entry(...pair))));
  const manifest: Manifest = { files, folders: [], links: [], isText: false };
  const incoming = files.map(({ path, size }, file) => ({ path, size, key: String(file), modified: 0 }));
  const store = StateStore.open('receiver', LINK);
  return {
    sender: new FileSender(secure[0], { manifest, contents: blobs }, meter(), () => {}),
    receiver: new FileReceiver(manifest, incoming, ['empty'], sink, cryptos[1], store, meter(), () => {}),
    secure,
    channels,
  };
}

async function run({ sender, receiver, secure }: ConnectedPair): Promise<void> {
  const receiving = secure[1]
    .receiveDocument(FrameType.manifest, 1 << 20)
    .then(() => receiver.receive(secure[1]));
  receiving.catch(() => secure[1].close());
  await Promise.all([sender.offer().then((answer) => sender.send(answer)), receiving]);
}

test('files of several frames, of one and of none arrive', async () => {
  const contents = { 'large.txt': 'x'.repeat(5000), 'empty.txt': '', 'small.txt': 'small' };
  const sink = new RecordingSink();
  await run(await connect(contents, sink));
  expect(Object.fromEntries(sink.committed)).toEqual(contents);
  expect(sink.calls).toEqual(['open large.txt', 'open empty.txt', 'open small.txt', 'folder empty']);
});

test('a kept part is hashed and not sent again', async () => {
  const content = 'x'.repeat(5000);
  const sink = new RecordingSink(new Blob([content.slice(0, 3000)]));
  const side = await connect({ 'a.txt': content }, sink);
  let sent = 0;
  side.channels[0].rewrite = (message) => {
    if (message[0] === FrameType.data) sent += message.length - 30;
    return message;
  };
  await run(side);
  expect(sink.committed.get('a.txt')).toBe(content);
  expect(sent).toBe(2000);
});

describe('no name is given', () => {
  test('to a file that is not the announced one', async () => {
    const sink = new RecordingSink();
    const announced = [await entry('a.txt', 'the announced one')];
    const side = await connect({ 'a.txt': 'another file here' }, sink, { announced });
    await expect(run(side)).rejects.toMatchObject({ code: 'hash_mismatch' });
    expect(sink.committed.size).toBe(0);
    expect(sink.calls).toContain('discard a.txt');
  });

  test('if a kept part is not the beginning of the file', async () => {
    const sink = new RecordingSink(new Blob(['other']));
    await expect(run(await connect({ 'a.txt': 'the content' }, sink))).rejects.toMatchObject({
      code: 'hash_mismatch',
    });
    expect(sink.committed.size).toBe(0);
  });

  test('if a frame is changed in transit', async () => {
    const sink = new RecordingSink();
    const side = await connect({ 'a.txt': 'content' }, sink);
    side.channels[0].rewrite = (message) =>
      message[0] === FrameType.data ? (message.with(16, message[16]! ^ 1) as Bytes) : message;
    await expect(run(side)).rejects.toMatchObject({ code: 'modified' });
    expect(sink.committed.size).toBe(0);
  });

  test.each([
    ['QuotaExceededError', 'storage_full'],
    ['NotAllowedError', 'storage_failed'],
  ])('if the sink fails with %s', async (name, code) => {
    const sink = new RecordingSink();
    sink.failure = new DOMException('no', name);
    const side = await connect({ 'a.txt': 'content' }, sink);
    await expect(run(side)).rejects.toMatchObject({ code, reason: 'storage_failed' });
    expect(sink.committed.size).toBe(0);
  });

  test('if it is larger than what a browser without storage keeps in memory', async () => {
    vi.stubGlobal('navigator', {});
    const sizes = [MAX_MEMORY_BYTES, MAX_MEMORY_BYTES + 1];
    const incoming = sizes.map((size) => ({ path: 'a.bin', size, key: '', modified: 0 }));
    expect(await new DownloadSink().open(incoming[0]!)).toMatchObject({ kept: null });
    const announced = [{ ...(await entry('a.bin', '')), size: sizes[1]! }];
    const side = await connect({ 'a.bin': '' }, new DownloadSink(), { announced });
    await expect(run(side)).rejects.toMatchObject({ code: 'file_too_large', reason: 'storage_failed' });
    vi.unstubAllGlobals();
    for (const { error } of [en, de]) expect(error.file_too_large).toContain(size(MAX_MEMORY_BYTES));
  });

  test('if the connection is lost, and the next one continues', async () => {
    const content = 'x'.repeat(9000);
    const sink = new RecordingSink();
    const crypto = service();
    const first = await connect({ 'a.txt': content }, sink, { crypto });
    let frames = 0;
    first.channels[0].rewrite = (message) => {
      if (message[0] === FrameType.data && ++frames === 4) first.channels[0].abort();
      return message;
    };
    await expect(run(first)).rejects.toMatchObject({ code: 'connection_lost' });
    expect(sink.committed.size).toBe(0);
    const second = await connect({ 'a.txt': content }, sink, { crypto });
    await run({ ...second, receiver: first.receiver });
    expect(sink.committed.get('a.txt')).toBe(content);
    expect(sink.calls.filter((call) => call === 'open a.txt')).toHaveLength(1);
  });

  test('if a frame among others is changed, and the next connection continues', async () => {
    const content = Array.from({ length: 30 }, (_, at) => String(at).padStart(1000, 'x')).join('');
    const sink = new RecordingSink();
    const crypto = service();
    const first = await connect({ 'a.txt': content }, sink, { crypto });
    let frames = 0;
    first.channels[0].rewrite = (message) =>
      message[0] === FrameType.data && ++frames === 7
        ? (message.with(16, message[16]! ^ 1) as Bytes)
        : message;
    await expect(run(first)).rejects.toMatchObject({ code: 'modified' });
    expect(sink.committed.size).toBe(0);
    const second = await connect({ 'a.txt': content }, sink, { crypto });
    await run({ ...second, receiver: first.receiver });
    expect(sink.committed.get('a.txt')).toBe(content);
  });
});

test('the other side learns that a file has become unreadable, after what was read before', async () => {
  const content = new Blob(['x'.repeat(3 << 20)]);
  const side = await connect({ 'a.txt': await content.text() }, new RecordingSink(), { blobs: [content] });
  const slice = content.slice.bind(content);
  content.slice = (start, end) => {
    const part = slice(start, end);
    if (start! > 0) part.arrayBuffer = async () => Promise.reject(new DOMException('', 'NotReadableError'));
    return part;
  };
  const receiving = side.secure[1]
    .receiveDocument(FrameType.manifest, 1 << 20)
    .then(() => side.receiver.receive(side.secure[1]));
  const sending = side.sender.send(await side.sender.offer());
  await expect(sending).rejects.toMatchObject({ code: 'source_changed' });
  await side.secure[0].abort(abortCode('source_changed'));
  await expect(receiving).rejects.toMatchObject({ code: 'source_changed', side: 'other' });
});
