/**
 * A page without a browser, for tests against real servers and peers: the engine under Node.
 *
 *     page.mjs send SERVER PATH… [--text TEXT] [--resume]
 *     page.mjs receive LINK FOLDER [--decline | --ask]
 *
 * `--stay`: does not exit after an end that can be resumed. `--storage FILE` keeps the session storage in a file: a page that is started again with it is a reloaded one.
 *
 * It prints one JSON object a line: `state`, `link`, `manifest`, `text`, `file` and, at the end, `end`. A line
 * `cancel`, `accept`, `decline` or `resume` on standard input calls that function; `choose PATH` answers a `refused`.
 */

import { existsSync, openAsBlob, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import {
  type ChooseItems,
  createSend,
  type FactEvent,
  type FileWriter,
  type IncomingFile,
  openLink,
  type ReceiveSession,
  resumeSend,
  type SendItem,
  type Session,
  type Sink,
} from '../../src/engine';

const [command, address, ...rest] = process.argv.slice(2);
const flag = (name: string): string | undefined => {
  const at = rest.indexOf(name);
  return at < 0 ? undefined : (rest[at + 1] ?? '');
};
const VALUE_FLAGS = ['--text', '--storage'];
const print = (event: string, values: object): void => {
  process.stdout.write(`${JSON.stringify({ event, ...values })}\n`);
};

/** Writes into a folder, under a temporary name until the file is complete. */
class FolderSink implements Sink {
  constructor(private readonly folder: string) {}

  async open({ path, size }: IncomingFile): Promise<FileWriter> {
    const target = join(this.folder, path);
    const temporary = `${target}.part`;
    await mkdir(dirname(target), { recursive: true });
    const file = await open(temporary, 'a');
    const { size: keptBytes } = await file.stat();
    return {
      kept: keptBytes > 0 ? await openAsBlob(temporary) : null,
      write: async (chunk) => void (await file.write(chunk)),
      commit: async () => {
        await file.close();
        await rename(temporary, target);
        print('file', { path, size });
      },
      discard: async () => {
        await file.close();
        await rm(temporary);
      },
      suspend: async () => {
        await file.close();
      },
    };
  }

  async makeFolder(path: string): Promise<void> {
    await mkdir(join(this.folder, path), { recursive: true });
  }

  async isComplete({ path, size }: IncomingFile): Promise<boolean> {
    const found = await stat(join(this.folder, path)).catch(() => null);
    return found?.size === size;
  }
}

async function toItem(path: string): Promise<SendItem> {
  const { mtimeMs } = await stat(path);
  const file = new File([await openAsBlob(path)], basename(path), { lastModified: mtimeMs });
  return { kind: 'file', file, path: basename(path) };
}

async function openSession(): Promise<Session> {
  if (command === 'send') {
    const text = flag('--text');
    const paths = rest.filter((word, at) => !word.startsWith('--') && !VALUE_FLAGS.includes(rest[at - 1]!));
    const items: SendItem[] =
      text === undefined ? await Promise.all(paths.map(toItem)) : [{ kind: 'text', text }];
    const options = { server: address!, path: 'relay' } as const;
    return rest.includes('--resume') ? resumeSend(giver(items), options) : createSend(items, options);
  }
  return openLink(address!, { path: 'relay' });
}

/** Gives the items, and after a refusal the file of a line `choose PATH`. */
function giver(items: readonly SendItem[]): ChooseItems {
  return async (problem) => {
    if (problem === null) return items;
    print('refused', { problem });
    const path = await new Promise<string>((resolve) => {
      chosen = resolve;
    });
    return [await toItem(path)];
  };
}

let chosen: (path: string) => void = () => {};

function follow(session: Session): void {
  const receiving = session as ReceiveSession;
  let linkPrinted = false;
  session.addEventListener('statechange', () => {
    const { state, error, correlationId, method } = session;
    const link = 'link' in session ? session.link : null;
    if (link !== null && !linkPrinted) print('link', { link });
    linkPrinted ||= link !== null;
    print('state', { state });
    if (['done', 'failed', 'cancelled'].includes(state)) {
      print('end', { state, error, correlationId, method, facts, bytes: session.progress.bytes });
      if (!(rest.includes('--stay') && session.canResume)) process.exit(state === 'done' ? 0 : 1);
    }
  });
  session.addEventListener('manifest', () => {
    print('manifest', { manifest: receiving.manifest });
    if (rest.includes('--decline')) void receiving.decline();
    else if (!rest.includes('--ask')) receiving.accept(new FolderSink(rest[0]!));
  });
  session.addEventListener('text', () => print('text', { text: receiving.text }));
}

const facts: Record<string, number> = {};

function countFacts(session: Session): void {
  session.addEventListener('fact', (event) => {
    const { metric, labels, value = 1 } = (event as FactEvent).fact;
    const name = [metric, ...Object.values(labels)].join(' ');
    facts[name] = (facts[name] ?? 0) + value;
  });
}

function followCommands(session: Session): void {
  const receiving = session as ReceiveSession;
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line.startsWith('choose ')) chosen(line.slice('choose '.length));
    else if (line === 'cancel') void session.cancel();
    else if (line === 'resume') session.resume();
    else if (line === 'decline') void receiving.decline();
    else if (line === 'accept') receiving.accept(new FolderSink(rest[0]!));
  });
}

/** Session storage in a file. */
class FileStorage implements Storage {
  [name: string]: unknown;
  private readonly values: Map<string, string>;

  constructor(private readonly file: string) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '{}';
    this.values = new Map(Object.entries(JSON.parse(text) as Record<string, string>));
  }

  get length(): number {
    return this.values.size;
  }

  key(index: number): string | null {
    return [...this.values.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.values.set(key, value);
    this.write();
  }

  removeItem(key: string): void {
    this.values.delete(key);
    this.write();
  }

  clear(): void {
    this.values.clear();
    this.write();
  }

  private write(): void {
    writeFileSync(this.file, JSON.stringify(Object.fromEntries(this.values)));
  }
}

const storage = flag('--storage');
if (storage !== undefined) globalThis.sessionStorage = new FileStorage(storage);
const session = await openSession();
countFacts(session);
follow(session);
followCommands(session);
