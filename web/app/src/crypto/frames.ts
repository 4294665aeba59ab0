/** Encrypted frames: AES-256-GCM (NIST SP 800-38D) with one key and one nonce counter per direction. */

import { type Bytes, concat, copy } from './bytes';
import { ProtocolError } from './errors';
import type { SessionKeys } from './kdf';
import { MAX_PAYLOAD_BYTES, PROTOCOL_VERSION } from '../protocol/wire';

const HEADER_BYTES = 14;
const TAG_BYTES = 16;
/** Bytes that a frame adds to its payload. */
export const OVERHEAD = HEADER_BYTES + TAG_BYTES;
const MAX_FRAMES = 2 ** 32;
export const NO_FILE = 2 ** 32 - 1;

export const FrameType = {
  manifest: 16,
  accept: 17,
  data: 18,
  receipt: 19,
  finish: 20,
  abort: 21,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** The part of a frame that is authenticated but not encrypted. */
export interface FrameHeader {
  readonly type: FrameType;
  /** Number of the file in the manifest, or `NO_FILE`. */
  readonly file: number;
  /** Offset of the payload in the file or document, in bytes. */
  readonly index: number;
  /** Whether the payload ends the file or document. */
  readonly final: boolean;
}

/** The header of a document or message that belongs to no file. */
export function header(type: FrameType, file = NO_FILE, index = 0, final = true): FrameHeader {
  return { type, file, index, final };
}

export function packHeader({ type, file, index, final }: FrameHeader): Bytes {
  const packed = new Uint8Array(HEADER_BYTES);
  const view = new DataView(packed.buffer);
  view.setUint8(0, type);
  view.setUint32(1, file);
  view.setBigUint64(5, BigInt(index));
  view.setUint8(13, final ? 1 : 0);
  return packed;
}

/** The header of a frame, not yet authenticated. */
export function unpackHeader(frame: Bytes): FrameHeader {
  if (frame.length < OVERHEAD || frame.length > OVERHEAD + MAX_PAYLOAD_BYTES) {
    throw new ProtocolError('malformed');
  }
  const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  const type = view.getUint8(0);
  const index = Number(view.getBigUint64(5));
  const final = view.getUint8(13);
  const isValid =
    Object.values<number>(FrameType).includes(type) && Number.isSafeInteger(index) && final <= 1;
  if (!isValid) throw new ProtocolError('malformed');
  return { type: type as FrameType, file: view.getUint32(1), index, final: final === 1 };
}

/** A part of a file, which is sent in frames. */
export interface FilePart {
  /** Number of the file in the manifest. */
  readonly file: number;
  /** Offset of the part in the file, in bytes. */
  readonly index: number;
  readonly content: Blob;
  /** Whether the part ends the file. */
  readonly final: boolean;
}

/** Runs the encryption or decryption of one frame, and measures it. */
export type Timed = <T>(operation: 'encrypt' | 'decrypt', work: () => Promise<T>) => Promise<T>;

/** Encrypts the frames of this side and decrypts those of the other side, in the order of the calls. */
export class FrameCipher {
  private sent: number;
  private received: number;
  private sealing: Promise<unknown> = Promise.resolve();
  private opening: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly sendKey: CryptoKey,
    private readonly receiveKey: CryptoKey,
    private readonly prefix: Bytes,
    private readonly timed: Timed,
    firstFrame: number,
  ) {
    this.sent = this.received = firstFrame;
  }

  /** Only tests pass `firstFrame`, the number of frames that the keys have encrypted before. */
  static async create(
    keys: SessionKeys,
    timed: Timed = (_, work) => work(),
    firstFrame = 0,
  ): Promise<FrameCipher> {
    const [send, receive] = await Promise.all([
      crypto.subtle.importKey('raw', keys.sendKey, 'AES-GCM', false, ['encrypt']),
      crypto.subtle.importKey('raw', keys.receiveKey, 'AES-GCM', false, ['decrypt']),
    ]);
    return new FrameCipher(
      send,
      receive,
      concat(Uint8Array.of(PROTOCOL_VERSION), keys.transferId),
      timed,
      firstFrame,
    );
  }

  /** Encrypts a frame. */
  seal(frame: FrameHeader, payload: Bytes): Promise<Bytes> {
    return this.afterEarlier(Promise.resolve(payload), (plain) => this.encrypt(frame, plain));
  }

  /**
   * Encrypts a part of a file in frames of at most `chunkSize` bytes. It is read while earlier frames are encrypted; if
   * it cannot be read, no nonce is used.
   */
  sealPart(part: FilePart, chunkSize: number): Promise<Bytes[]> {
    return this.afterEarlier(part.content.arrayBuffer(), async (buffer) => {
      const { file, index, content, final } = part;
      const { size } = content;
      if (buffer.byteLength !== size) throw new DOMException('the file has changed', 'NotReadableError');
      const frames: Bytes[] = [];
      for (let at = 0; at === 0 || at < size; at += chunkSize) {
        const end = Math.min(at + chunkSize, size);
        const frame = header(FrameType.data, file, index + at, final && end === size);
        frames.push(await this.encrypt(frame, new Uint8Array(buffer, at, end - at)));
      }
      return frames;
    });
  }

  /** Decrypts the other side's next frame. Each frame is decrypted while earlier ones are; after a failure, none is. */
  open(frame: Bytes): Promise<Bytes> {
    const opening = Promise.all([this.decrypt(frame), this.opening]).then(([plain]) => plain);
    opening.catch(() => {}); // whoever awaits it gets the error
    this.opening = opening;
    return opening;
  }

  /** Encrypts what `preparing` gives after everything that was to be encrypted before. */
  private afterEarlier<P, T>(preparing: Promise<P>, encrypt: (prepared: P) => Promise<T>): Promise<T> {
    const sealing = Promise.all([preparing, this.sealing]).then(([prepared]) => encrypt(prepared));
    this.sealing = sealing.catch(() => {});
    return sealing;
  }

  private encrypt(frame: FrameHeader, plain: Bytes): Promise<Bytes> {
    return this.timed('encrypt', async () => {
      const iv = nonce(this.sent++);
      const packed = packHeader(frame);
      const parameters = { name: 'AES-GCM', iv, additionalData: concat(this.prefix, packed) };
      const sealed = await crypto.subtle.encrypt(parameters, this.sendKey, plain);
      return concat(packed, new Uint8Array(sealed));
    });
  }

  private decrypt(frame: Bytes): Promise<Bytes> {
    return this.timed('decrypt', async () => {
      const iv = nonce(this.received++);
      const packed = copy(frame.subarray(0, HEADER_BYTES));
      const parameters = { name: 'AES-GCM', iv, additionalData: concat(this.prefix, packed) };
      try {
        const sealed = frame.subarray(HEADER_BYTES);
        return new Uint8Array(await crypto.subtle.decrypt(parameters, this.receiveKey, sealed));
      } catch {
        throw new ProtocolError('modified');
      }
    });
  }
}

function nonce(count: number): Bytes {
  if (count >= MAX_FRAMES) throw new ProtocolError('key_exhausted');
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(8, count);
  return bytes;
}
