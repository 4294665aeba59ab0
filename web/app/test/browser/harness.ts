/**
 * The engine in a browser without screens, for tests that drive a real browser: `window.harness` sends generated
 * files, and receives into memory of which only the hash is kept.
 */

import { sha256 } from '@noble/hashes/sha2.js';

import { toHex } from '../../src/crypto/bytes';
import {
  createSend,
  type FactEvent,
  type FileWriter,
  type IncomingFile,
  openLink,
  type ReceiveSession,
  type SendItem,
  type SendSession,
  type Session,
  type SessionOptions,
  type Sink,
} from '../../src/engine';

interface Ended {
  state: string;
  error: Session['error'];
  method: string | null;
  correlationId: string;
  facts: Record<string, number>;
  files: Record<string, string>;
  seconds: number;
}

const PIECE = 1 << 20;

class HashingSink implements Sink {
  readonly files: Record<string, string> = {};
  /** Milliseconds that each write takes: a slow disk. */
  delay = 0;

  async open({ path }: IncomingFile): Promise<FileWriter> {
    const hash = sha256.create();
    return {
      kept: null,
      write: async (chunk) => {
        hash.update(chunk);
        if (this.delay > 0) await new Promise((resolve) => setTimeout(resolve, this.delay));
      },
      commit: async () => {
        this.files[path] = toHex(hash.digest());
      },
      discard: async () => {},
      suspend: async () => {},
    };
  }

  async makeFolder(): Promise<void> {}

  async isComplete(): Promise<boolean> {
    return false;
  }
}

/** A file of `size` bytes whose memory is one piece: the pieces of a Blob are shared. */
function generatedFile(size: number, name: string): File {
  const piece = new Uint8Array(PIECE);
  for (let at = 0; at < PIECE; at += 65_536) crypto.getRandomValues(piece.subarray(at, at + 65_536));
  const block = new Blob([piece]);
  const pieces = new Array<Blob>(Math.floor(size / PIECE)).fill(block);
  return new File([...pieces, block.slice(0, size % PIECE)], name);
}

let session: Session;
const sink = new HashingSink();

function ended(): Promise<Ended> {
  const facts: Record<string, number> = {};
  const started = performance.now();
  session.addEventListener('fact', (event) => {
    const { metric, labels, value = 1 } = (event as FactEvent).fact;
    const name = [metric, ...Object.values(labels)].join(' ');
    facts[name] = (facts[name] ?? 0) + value;
  });
  return new Promise((resolve) => {
    session.addEventListener('statechange', () => {
      const { state, error, method, correlationId } = session;
      if (!['done', 'failed', 'cancelled'].includes(state)) return;
      const seconds = (performance.now() - started) / 1000;
      resolve({ state, error, method, correlationId, facts, files: sink.files, seconds });
    });
  });
}

let end: Promise<Ended>;

const harness = {
  /** Starts to send; resolves with the link. */
  async send(size: number, options: SessionOptions, name = 'généré.bin'): Promise<string> {
    const items: SendItem[] = [{ kind: 'file', file: generatedFile(size, name), path: name }];
    const sending: SendSession = createSend(items, options);
    session = sending;
    end = ended();
    while (sending.link === null) {
      await new Promise((resolve) => sending.addEventListener('statechange', resolve, { once: true }));
    }
    return sending.link;
  },
  /** Starts to receive, and accepts whatever is offered. */
  receive(link: string, options: SessionOptions, delay = 0): void {
    const receiving: ReceiveSession = openLink(link, options);
    session = receiving;
    sink.delay = delay;
    end = ended();
    receiving.addEventListener('manifest', () => receiving.accept(sink));
  },
  end: (): Promise<Ended> => end,
  cancel: (): Promise<void> => session.cancel(),
  progress: () => session.progress,
  state: () => session.state,
};

declare global {
  interface Window {
    harness: typeof harness;
  }
}

window.harness = harness;
