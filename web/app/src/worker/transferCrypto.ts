/**
 * What costs time: handshakes, encryption and hashes. It runs in a worker (`worker/client.ts`), and in the
 * caller's thread where there are no workers. Keys never leave it.
 */

import { SHA256 } from '@stablelib/sha256';

import type { Fact } from '../types';
import { type Bytes, toHex } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import { type FilePart, FrameCipher, type FrameHeader } from '../crypto/frames';
import { type Kem, kem } from '../crypto/mlkem';
import type { SessionKeys } from '../crypto/kdf';
import { type HandshakeInput, ReceiverHandshake, SenderHandshake } from '../crypto/handshake';
import { BlobReader } from './blobReader';

/** The metrics of a kind of operation, and the labels that all of them have. */
interface Metrics {
  readonly operations: string;
  readonly duration: string;
  readonly labels: Readonly<Record<string, string>>;
}

const PQC: Metrics = { operations: 'pqc_operations_total', duration: 'pqc_duration_seconds', labels: {} };
const CIPHER: Metrics = {
  operations: 'encryption_operations_total',
  duration: 'encryption_duration_seconds',
  labels: { algorithm: 'aes_256_gcm' },
};

interface Connection {
  sender?: SenderHandshake;
  receiver?: ReceiverHandshake;
  cipher?: FrameCipher;
}

export class TransferCrypto {
  private readonly connections = new Map<number, Connection>();
  private readonly hashes = new Map<number, SHA256>();
  private readonly reader = new BlobReader();

  constructor(private readonly onFact: (fact: Fact) => void) {}

  /** The sender's first message of a connection, which gets the number `id`. */
  async startSender(id: number, input: HandshakeInput): Promise<Bytes> {
    const sender = await SenderHandshake.create(input, { kem: await this.measuredKem() });
    this.connections.set(id, { sender });
    return sender.hello();
  }

  async handleReply(id: number, reply: Bytes): Promise<Bytes> {
    return this.connection(id).sender!.handleReply(reply);
  }

  async finishSender(id: number, confirmation: Bytes): Promise<void> {
    const connection = this.connection(id);
    connection.cipher = await this.newCipher(await connection.sender!.handleConfirmation(confirmation));
  }

  /** The receiver's answer to the sender's first message. */
  async startReceiver(id: number, input: HandshakeInput, hello: Bytes): Promise<Bytes> {
    const receiver = new ReceiverHandshake(input, { kem: await this.measuredKem() });
    this.connections.set(id, { receiver });
    return receiver.handleHello(hello);
  }

  async finishReceiver(id: number, message: Bytes): Promise<Bytes> {
    const connection = this.connection(id);
    const { confirmation, keys } = await connection.receiver!.handleConfirmation(message);
    connection.cipher = await this.newCipher(keys);
    return confirmation;
  }

  async seal(id: number, header: FrameHeader, payload: Bytes): Promise<Bytes> {
    return this.connection(id).cipher!.seal(header, payload);
  }

  /** Reads a part of a file and encrypts it, in frames of at most `chunkSize` bytes. */
  async sealPart(id: number, part: FilePart, chunkSize: number): Promise<Bytes[]> {
    return this.connection(id).cipher!.sealPart(part, chunkSize);
  }

  /** Decrypts the next frame, and adds its payload to a hash. */
  async open(id: number, frame: Bytes, hash: number | null): Promise<Bytes> {
    const payload = await this.connection(id).cipher!.open(frame);
    if (hash !== null) this.hashes.get(hash)!.update(payload);
    return payload;
  }

  /** Forgets the keys of a connection. */
  async release(id: number): Promise<void> {
    this.connections.delete(id);
  }

  /** Starts the SHA-256 of a stream, which gets the number `hash`. */
  async startHash(hash: number): Promise<void> {
    this.hashes.set(hash, new SHA256());
  }

  async updateHash(hash: number, content: Blob): Promise<void> {
    const updated = this.hashes.get(hash)!;
    await this.reader.read(content, (part) => updated.update(part));
  }

  /** The hash in hexadecimal digits. */
  async finishHash(hash: number): Promise<string> {
    const digest = this.hashes.get(hash)!.digest();
    this.hashes.delete(hash);
    return toHex(digest);
  }

  private connection(id: number): Connection {
    const found = this.connections.get(id);
    if (!found) throw new ProtocolError('protocol');
    return found;
  }

  private async measuredKem(): Promise<Kem> {
    const used = await kem();
    return {
      generate: async () => {
        const key = await this.measured(PQC, 'keygen', () => used.generate());
        const decapsulate = (ciphertext: Bytes): Promise<Bytes> =>
          this.measured(PQC, 'decapsulate', () => key.decapsulate(ciphertext));
        return { encapsulationKey: key.encapsulationKey, decapsulate };
      },
      encapsulate: (key) => this.measured(PQC, 'encapsulate', () => used.encapsulate(key)),
    };
  }

  private newCipher(keys: SessionKeys): Promise<FrameCipher> {
    return FrameCipher.create(keys, (operation, work) => this.measured(CIPHER, operation, work));
  }

  /** Runs a cryptographic operation, and records how it ended and how long it took. */
  private async measured<T>(
    { operations, duration, labels }: Metrics,
    operation: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    let status = 'failed';
    try {
      const result = await work();
      status = 'success';
      return result;
    } finally {
      const observed = (performance.now() - started) / 1000;
      this.onFact({ metric: operations, labels: { ...labels, operation, status }, value: 1 });
      this.onFact({ metric: duration, labels: { ...labels, operation }, observed });
    }
  }
}
