/** Receives the files over any number of connections into a sink. */

import type { Fact, FileWriter, IncomingFile, Sink } from '../types';
import type { Bytes } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import { FrameType, header } from '../crypto/frames';
import { LocalError } from '../connection/errors';
import type { SecureChannel } from '../connection/secureChannel';
import type { Manifest } from '../protocol/manifest';
import { decodeBits, encodeBits, encodeResumeOffer } from '../protocol/resumeOffer';
import type { CryptoService } from '../worker/client';
import { recordChunk } from './fileSender';
import { newHash } from './preparation';
import type { ProgressMeter } from './progressMeter';
import type { StateStore } from './storedState';

const BLOCK = 8 << 20;
/** Frames that are decrypted or written at the same time. */
const FRAMES_UNDER_WAY = 8;

/** The file that is being received. What was decrypted was hashed and written. */
interface OpenFile {
  readonly file: number;
  readonly writer: FileWriter;
  readonly hash: number;
  received: number;
}

export class FileReceiver {
  private readonly done: Set<number>;
  private open: OpenFile | null = null;
  private isResumed: boolean;
  private foldersMade = false;

  constructor(
    private readonly manifest: Manifest,
    private readonly incoming: readonly IncomingFile[],
    private readonly folders: readonly string[],
    private readonly sink: Sink,
    private readonly crypto: CryptoService,
    private readonly store: StateStore,
    private readonly progress: ProgressMeter,
    private readonly onFact: (fact: Fact) => void,
  ) {
    this.done = decodeBits(store.state.done) ?? new Set();
    this.isResumed = this.done.size > 0;
  }

  /** Tells the sender what is here, receives the rest, and confirms it to the sender. */
  async receive(secure: SecureChannel): Promise<void> {
    if (this.isResumed) await this.dropLost();
    this.isResumed = false;
    const missing = this.incoming.map((_, file) => file).filter((file) => !this.done.has(file));
    if (missing.length > 0 && this.open?.file !== missing[0]) await this.openFile(missing[0]!);
    await this.sendAnswer(secure);
    for (const file of missing) {
      if (this.open?.file !== file) await this.openFile(file, true);
      await this.receiveFile(secure, this.open!);
      await secure.send(header(FrameType.receipt, file));
    }
    await this.makeFolders();
    secure.sequence.expect(FrameType.finish);
    await secure.receive();
    await secure.send(header(FrameType.finish));
  }

  /** Drops an unfinished file. */
  async discard(): Promise<void> {
    const { open } = this;
    this.open = null;
    await open?.writer.discard().catch(() => {});
  }

  /** Keeps an unfinished file for a later page, as far as the sink can. */
  async suspend(): Promise<void> {
    this.store.state.done = encodeBits(this.done);
    this.store.save();
    const { open } = this;
    this.open = null;
    await open?.writer.suspend().catch(() => {});
  }

  private async sendAnswer(secure: SecureChannel): Promise<void> {
    const { open } = this;
    const partial = new Map(open !== null && open.received > 0 ? [[open.file, open.received]] : []);
    await secure.sendDocument(FrameType.accept, encodeResumeOffer({ partial, complete: this.done }));
    let bytes = open?.received ?? 0;
    for (const file of this.done) bytes += this.incoming[file]!.size;
    this.progress.start(bytes, this.done.size);
  }

  /** After a reload: forgets files that an earlier page completed and that are gone. */
  private async dropLost(): Promise<void> {
    for (const file of [...this.done]) {
      const known = this.incoming[file];
      if (!known || !(await this.sink.isComplete(known))) this.done.delete(file);
    }
  }

  /** Opens a file; `empty`: drops kept bytes that the sender does not know of. */
  private async openFile(file: number, empty = false): Promise<void> {
    await this.discard();
    let writer = await stored(this.sink.open(this.incoming[file]!));
    if (empty && writer.kept !== null && writer.kept.size > 0) {
      await stored(writer.discard());
      writer = await stored(this.sink.open(this.incoming[file]!));
    }
    const hash = newHash();
    await this.crypto.startHash(hash);
    const received = writer.kept?.size ?? 0;
    for (let at = 0; at < received; at += BLOCK) {
      await stored(this.crypto.updateHash(hash, writer.kept!.slice(at, at + BLOCK)));
    }
    this.open = { file, writer, hash, received };
  }

  private async receiveFile(secure: SecureChannel, open: OpenFile): Promise<void> {
    const { size, sha256 } = this.manifest.files[open.file]!;
    this.progress.setFile(this.incoming[open.file]!.path);
    secure.sequence.expect(FrameType.data, open.file, open.received, size);
    await this.receiveContent(secure, open);
    this.open = null;
    const isRight = open.received === size && (await this.crypto.finishHash(open.hash)) === sha256;
    if (!isRight) {
      await open.writer.discard().catch(() => {});
      throw new ProtocolError('hash_mismatch');
    }
    await stored(open.writer.commit());
    this.done.add(open.file);
    this.store.saveSometimes((state) => {
      state.done = encodeBits(this.done);
    });
    this.progress.fileDone();
  }

  /** Receives a file's frames. They are decrypted and written in their order, while the next ones are received. */
  private async receiveContent(secure: SecureChannel, open: OpenFile): Promise<void> {
    const underWay: Promise<void>[] = [];
    let writing: Promise<void> = Promise.resolve();
    try {
      while (!secure.sequence.complete) {
        const started = performance.now();
        const { payload } = await secure.accept(open.hash);
        writing = this.write(secure, open, payload, started, writing);
        writing.catch(() => {}); // it is awaited below
        underWay.push(writing);
        if (underWay.length >= FRAMES_UNDER_WAY) await underWay.shift();
      }
    } finally {
      await writing; // what was decrypted was hashed: it must be written, too
    }
  }

  private async write(
    secure: SecureChannel,
    open: OpenFile,
    decrypting: Promise<Bytes>,
    started: number,
    before: Promise<void>,
  ): Promise<void> {
    const payload = await decrypting;
    const { length } = payload;
    if (length > 0) recordChunk(this.onFact, secure, 'received', length, started);
    await before;
    if (length > 0) await stored(open.writer.write(payload));
    open.received += length;
    this.progress.add(length);
  }

  private async makeFolders(): Promise<void> {
    if (this.foldersMade) return;
    for (const folder of this.folders) await stored(this.sink.makeFolder(folder));
    this.foldersMade = true;
  }
}

/** Errors of the sink as those of this session. */
async function stored<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LocalError) throw error;
    const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
    throw new LocalError(isFull ? 'storage_full' : 'storage_failed', 'storage_failed');
  }
}
