/** Sends the files over one connection: manifest, data, and the receipts that come back. */

import type { Fact } from '../types';
import { ProtocolError } from '../crypto/errors';
import { type FilePart, FrameType, header } from '../crypto/frames';
import { transferMethod } from '../connection/connector';
import { LocalError } from '../connection/errors';
import type { SecureChannel } from '../connection/secureChannel';
import { encodeManifest, totalBytes } from '../protocol/manifest';
import { decodeResumeOffer, MAX_ANSWER_BYTES, type ResumeOffer } from '../protocol/resumeOffer';
import { WorkerError } from '../worker/client';
import type { PreparedFiles } from './preparation';
import type { ProgressMeter } from './progressMeter';

/** Bytes of a file that are read at once: each reading asks another process of the browser. */
const PART_BYTES = 1 << 20;
/** Parts that are read, encrypted or sent at the same time. An abort comes after them. */
const PARTS_UNDER_WAY = 2;

export class FileSender {
  constructor(
    private readonly secure: SecureChannel,
    private readonly files: PreparedFiles,
    private readonly progress: ProgressMeter,
    private readonly onFact: (fact: Fact) => void,
  ) {}

  /** Sends the manifest and waits for the receiver's answer. */
  async offer(): Promise<ResumeOffer> {
    const { manifest } = this.files;
    await this.secure.sendDocument(FrameType.manifest, encodeManifest(manifest));
    const document = await this.secure.receiveDocument(FrameType.accept, MAX_ANSWER_BYTES);
    return decodeResumeOffer(document, manifest);
  }

  /** Sends everything that the receiver does not have; returns when it has confirmed all files. */
  async send(answer: ResumeOffer): Promise<void> {
    const { files } = this.files.manifest;
    const wanted = files.map((_, file) => file).filter((file) => !answer.complete.has(file));
    this.progress.begin('transferring', totalBytes(this.files.manifest), files.length);
    this.progress.start(this.bytesAtReceiver(answer), answer.complete.size);
    await Promise.all([this.receiveReceipts(wanted), this.sendFiles(wanted, answer)]);
  }

  /** Bytes of the files that the receiver has. */
  bytesAtReceiver({ complete, partial }: ResumeOffer): number {
    const { files } = this.files.manifest;
    let bytes = 0;
    for (const file of complete) bytes += files[file]!.size;
    for (const [file, size] of partial) if (!complete.has(file)) bytes += size;
    return bytes;
  }

  private async sendFiles(wanted: readonly number[], answer: ResumeOffer): Promise<void> {
    for (const file of wanted) await this.sendFile(file, answer.partial.get(file) ?? 0);
    await this.secure.send(header(FrameType.finish));
  }

  private async sendFile(file: number, start: number): Promise<void> {
    const content = this.files.contents[file]!;
    const { chunkSize } = this.secure;
    const partSize = chunkSize * Math.max(1, Math.floor(PART_BYTES / chunkSize));
    const underWay: Promise<void>[] = [];
    this.progress.setFile(this.files.manifest.files[file]!.path);
    for (let at = start; at === start || at < content.size; at += partSize) {
      const end = Math.min(at + partSize, content.size);
      const part = content.slice(at, end);
      const sending = this.sendPart({ file, index: at, content: part, final: end >= content.size });
      sending.catch(() => {}); // after the first failure nobody awaits the others
      underWay.push(sending);
      if (underWay.length >= PARTS_UNDER_WAY) await underWay.shift();
    }
    await Promise.all(underWay);
  }

  private async sendPart(part: FilePart): Promise<void> {
    let started = performance.now();
    const sending = this.secure.sendPart(part, (bytes) => {
      if (bytes > 0) recordChunk(this.onFact, this.secure, 'sent', bytes, started);
      this.progress.add(bytes);
      started = performance.now();
    });
    try {
      await sending;
    } catch (error) {
      throw error instanceof WorkerError || error instanceof DOMException
        ? new LocalError('source_changed', 'source_changed')
        : error;
    }
  }

  private async receiveReceipts(wanted: readonly number[]): Promise<void> {
    const { sequence } = this.secure;
    for (const file of wanted) {
      sequence.expect(FrameType.receipt, file);
      await this.secure.receive();
      if (!sequence.complete) throw new ProtocolError('malformed');
      this.progress.fileDone();
    }
    sequence.expect(FrameType.finish);
    await this.secure.receive();
  }
}

/** Counts a piece of a file, and how long it took. */
export function recordChunk(
  onFact: (fact: Fact) => void,
  secure: SecureChannel,
  direction: 'sent' | 'received',
  bytes: number,
  started: number,
): void {
  const method = transferMethod(secure.channel);
  const observed = (performance.now() - started) / 1000;
  onFact({ metric: 'bytes_transferred_total', labels: { direction }, value: bytes });
  onFact({ metric: 'chunk_transfer_duration_seconds', labels: { method }, observed });
}
