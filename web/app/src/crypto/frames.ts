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

/** Encrypts the frames of this side and decrypts those of the other side, in the order of the calls. */
export class FrameCipher {
  private sent: number;
  private received: number;
  private sealing: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly sendKey: CryptoKey,
    private readonly receiveKey: CryptoKey,
    private readonly prefix: Bytes,
    firstFrame: number,
  ) {
    this.sent = this.received = firstFrame;
  }

  /** Only tests pass `firstFrame`, the number of frames that the keys have encrypted before. */
  static async create(keys: SessionKeys, firstFrame = 0): Promise<FrameCipher> {
    const [send, receive] = await Promise.all([
      crypto.subtle.importKey('raw', keys.sendKey, 'AES-GCM', false, ['encrypt']),
      crypto.subtle.importKey('raw', keys.receiveKey, 'AES-GCM', false, ['decrypt']),
    ]);
    return new FrameCipher(
      send,
      receive,
      concat(Uint8Array.of(PROTOCOL_VERSION), keys.transferId),
      firstFrame,
    );
  }

  /**
   * Encrypts a frame. A payload that is part of a file is read while earlier frames are encrypted; if it cannot be
   * read, no nonce is used.
   */
  seal(frame: FrameHeader, payload: Bytes | Blob): Promise<Bytes> {
    const reading = payload instanceof Blob ? payload.arrayBuffer() : Promise.resolve(payload);
    const sealing = Promise.all([reading, this.sealing]).then(([plain]) => {
      const size = payload instanceof Blob ? payload.size : payload.length;
      if (plain.byteLength !== size) throw new DOMException('the file has changed', 'NotReadableError');
      return this.encrypt(frame, plain);
    });
    this.sealing = sealing.catch(() => {});
    return sealing;
  }

  private async encrypt(frame: FrameHeader, plain: BufferSource): Promise<Bytes> {
    const iv = nonce(this.sent++);
    const packed = packHeader(frame);
    const parameters = { name: 'AES-GCM', iv, additionalData: concat(this.prefix, packed) };
    const sealed = await crypto.subtle.encrypt(parameters, this.sendKey, plain);
    return concat(packed, new Uint8Array(sealed));
  }

  /** Decrypts the other side's next frame. */
  async open(frame: Bytes): Promise<Bytes> {
    const iv = nonce(this.received++);
    const packed = copy(frame.subarray(0, HEADER_BYTES));
    const parameters = { name: 'AES-GCM', iv, additionalData: concat(this.prefix, packed) };
    try {
      const sealed = frame.subarray(HEADER_BYTES);
      return new Uint8Array(await crypto.subtle.decrypt(parameters, this.receiveKey, sealed));
    } catch {
      throw new ProtocolError('modified');
    }
  }
}

function nonce(count: number): Bytes {
  if (count >= MAX_FRAMES) throw new ProtocolError('key_exhausted');
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(8, count);
  return bytes;
}
