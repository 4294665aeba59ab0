/**
 * What costs time: handshakes, encryption and hashes. It runs in a worker (`worker/client.ts`), and in the
 * caller's thread where there are no workers. Keys never leave it.
 */

import { sha256 as streamHash } from '@noble/hashes/sha2.js';

import type { Fact } from '../types';
import { type Bytes, toHex } from '../crypto/bytes';
import { ProtocolError } from '../crypto/errors';
import { FrameCipher, type FrameHeader } from '../crypto/frames';
import { type Kem, kem } from '../crypto/mlkem';
import { type HandshakeInput, ReceiverHandshake, SenderHandshake } from '../crypto/handshake';

/** The cipher of every frame, as the metrics name it. */
const ALGORITHM = 'aes_256_gcm';

interface Connection {
  sender?: SenderHandshake;
  receiver?: ReceiverHandshake;
  cipher?: FrameCipher;
}

export class TransferCrypto {
  private readonly connections = new Map<number, Connection>();
  private readonly hashes = new Map<number, ReturnType<typeof streamHash.create>>();
  private opening: Promise<unknown> = Promise.resolve();

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
    connection.cipher = await FrameCipher.create(await connection.sender!.handleConfirmation(confirmation));
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
    connection.cipher = await FrameCipher.create(keys);
    return confirmation;
  }

  /** Encrypts a frame. A payload that is part of a file is read here. */
  async seal(id: number, header: FrameHeader, payload: Bytes | Blob): Promise<Bytes> {
    const started = performance.now();
    const sealed = await this.connection(id).cipher!.seal(header, payload);
    this.recordCipher('encrypt', 'success', started);
    return sealed;
  }

  /** Decrypts the next frame, and adds its payload to a hash. */
  async open(id: number, frame: Bytes, hash: number | null): Promise<Bytes> {
    const started = performance.now();
    const decrypting = this.connection(id).cipher!.open(frame);
    const before = this.opening;
    const opened = Promise.all([decrypting, before.catch(() => {})]);
    this.opening = opened.catch(() => {});
    try {
      const [payload] = await opened;
      this.recordCipher('decrypt', 'success', started);
      if (hash !== null) this.hashes.get(hash)!.update(payload);
      return payload;
    } catch (error) {
      this.recordCipher('decrypt', 'failed', started);
      throw error;
    }
  }

  /** Forgets the keys of a connection. */
  async release(id: number): Promise<void> {
    this.connections.delete(id);
  }

  /** Starts the SHA-256 of a stream, which gets the number `hash`. */
  async startHash(hash: number): Promise<void> {
    this.hashes.set(hash, streamHash.create());
  }

  async updateHash(hash: number, content: Blob): Promise<void> {
    this.hashes.get(hash)!.update(new Uint8Array(await content.arrayBuffer()));
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
        const key = await this.timed('keygen', () => used.generate());
        const decapsulate = (ciphertext: Bytes): Promise<Bytes> =>
          this.timed('decapsulate', () => key.decapsulate(ciphertext));
        return { encapsulationKey: key.encapsulationKey, decapsulate };
      },
      encapsulate: (key) => this.timed('encapsulate', () => used.encapsulate(key)),
    };
  }

  private async timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    let status = 'failed';
    try {
      const result = await work();
      status = 'success';
      return result;
    } finally {
      const observed = (performance.now() - started) / 1000;
      this.onFact({ metric: 'pqc_operations_total', labels: { operation, status }, value: 1 });
      this.onFact({ metric: 'pqc_duration_seconds', labels: { operation }, observed });
    }
  }

  private recordCipher(operation: string, status: string, started: number): void {
    const observed = (performance.now() - started) / 1000;
    const labels = { algorithm: ALGORITHM, operation };
    this.onFact({ metric: 'encryption_operations_total', labels: { ...labels, status }, value: 1 });
    this.onFact({ metric: 'encryption_duration_seconds', labels, observed });
  }
}
