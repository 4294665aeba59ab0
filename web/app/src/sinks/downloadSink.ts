/**
 * Streams a file through the service worker into the browser's downloads, for browsers without another place.
 * The last piece is held back until the file is verified: a download without it is incomplete, and browsers
 * do not give an incomplete download its name.
 */
import type { FileWriter, IncomingFile, Sink } from '../types';
import { LocalError } from '../connection/errors';
import {
  DOWNLOAD_PREFIX,
  KEEP_ALIVE_MS,
  type PageToPort,
  type PortToPage,
  type WorkerMessage,
} from '../pwa/downloadProtocol';
import { baseName, download } from './savedFiles';

const NO_ANSWER_MS = 15_000;
/** Largest file that is kept in memory where nothing else works. */
export const MAX_MEMORY_BYTES = 256 * 1024 * 1024;

const gone = () => new DOMException('the download was ended by the browser', 'AbortError');

/**
 * Whether an unfinished download has another name than a complete one. It does not in WebKitGTK, which writes what comes
 * from a service worker under the file's name and leaves it there. No feature tells; but all others have this one.
 */
const keepsPartsApart = () => typeof navigator.storage?.getDirectory === 'function';

/** A file on its way through the service worker. */
class DownloadWriter implements FileWriter {
  readonly kept = null;
  readonly #port: MessagePort;
  readonly #frame: HTMLIFrameElement;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #wanted: (() => void)[] = [];
  #credit = 0;
  #held: Uint8Array<ArrayBuffer> | null = null;
  #failed: unknown = null;
  #heardAt = Date.now();

  constructor(port: MessagePort, frame: HTMLIFrameElement, keepAlive: () => void) {
    this.#port = port;
    this.#frame = frame;
    port.onmessage = (event: MessageEvent<PortToPage>) => this.#hear(event.data);
    this.#timer = setInterval(() => {
      keepAlive();
      // A worker that was killed does not answer, and its stream has ended with it.
      if (Date.now() - this.#heardAt > NO_ANSWER_MS) this.#fail(gone());
    }, KEEP_ALIVE_MS);
  }

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    const held = this.#held;
    this.#held = chunk;
    if (held) await this.#send(held);
  }

  async commit(): Promise<void> {
    if (this.#held) await this.#send(this.#held);
    this.#held = null;
    this.#post({ type: 'end' });
    this.#stop();
  }

  async discard(): Promise<void> {
    this.#post({ type: 'abort' });
    this.#stop();
    this.#frame.remove();
  }

  suspend(): Promise<void> {
    return this.discard();
  }

  #hear(message: PortToPage): void {
    this.#heardAt = Date.now();
    if (message.type === 'cancelled') this.#fail(gone());
    if (message.type !== 'pull') return;
    const next = this.#wanted.shift();
    if (next) next();
    else this.#credit += 1;
  }

  async #send(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#failed) throw this.#failed;
    if (this.#credit > 0) this.#credit -= 1;
    else await new Promise<void>((resolve) => this.#wanted.push(resolve));
    if (this.#failed) throw this.#failed;
    this.#post({ type: 'chunk', chunk });
  }

  #post(message: PageToPort): void {
    this.#port.postMessage(message);
  }

  #fail(error: unknown): void {
    this.#failed ??= error;
    this.#stop();
    for (const waiting of this.#wanted.splice(0)) waiting();
  }

  #stop(): void {
    clearInterval(this.#timer);
  }
}

/** Keeps a small file in memory. */
class MemoryWriter implements FileWriter {
  readonly kept = null;
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  constructor(readonly file: IncomingFile) {}

  async write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#parts.push(chunk);
  }
  async commit(): Promise<void> {
    download(new Blob(this.#parts), baseName(this.file.path));
  }
  async discard(): Promise<void> {
    this.#parts.length = 0;
  }
  suspend(): Promise<void> {
    return this.discard();
  }
}

export class DownloadSink implements Sink {
  async open(file: IncomingFile): Promise<FileWriter> {
    const worker = keepsPartsApart() ? navigator.serviceWorker?.controller : null;
    if (worker) return openDownload(worker, file);
    if (file.size > MAX_MEMORY_BYTES) throw new LocalError('file_too_large', 'storage_failed');
    return new MemoryWriter(file);
  }

  async makeFolder(): Promise<void> {}

  async isComplete(): Promise<boolean> {
    return false;
  }
}

/** Begins a download; resolves when the browser has started it. */
function openDownload(worker: ServiceWorker, file: IncomingFile): Promise<FileWriter> {
  const id = crypto.randomUUID();
  const { port1, port2 } = new MessageChannel();
  const post = (message: WorkerMessage, ports: Transferable[] = []) => worker.postMessage(message, ports);
  const frame = document.createElement('iframe');
  frame.hidden = true;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      frame.remove();
      reject(gone());
    }, NO_ANSWER_MS);
    let pulls = 0;
    port1.onmessage = (event: MessageEvent<PortToPage>) => {
      if (event.data.type === 'ready') {
        frame.src = DOWNLOAD_PREFIX + id;
        document.body.append(frame);
      } else if (event.data.type === 'pull') pulls += 1;
      else if (event.data.type === 'started') {
        clearTimeout(timer);
        const writer = new DownloadWriter(port1, frame, () => post({ type: 'keep-alive', id }));
        for (; pulls > 0; pulls -= 1)
          port1.dispatchEvent(new MessageEvent('message', { data: { type: 'pull' } }));
        resolve(writer);
      }
    };
    post({ type: 'download', id, name: baseName(file.path), size: file.size }, [port2]);
  });
}
