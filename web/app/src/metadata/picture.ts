/** Reading a picture's structure, and the parts of it that are kept. */

/** The picture is not what it seems to be, or is cut off: its metadata cannot be told from its content. */
export class BrokenPictureError extends Error {}

/** Bounds the time that a picture of many small parts takes. */
const MAX_PARTS = 200_000;

export class PictureReader {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  #parts = 0;

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  get size(): number {
    return this.bytes.length;
  }

  /** Call it for each segment or chunk. */
  countPart(): void {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) throw new BrokenPictureError('too many parts');
  }

  /** Whether ASCII text stands at an offset. */
  has(text: string, at: number): boolean {
    return at + text.length <= this.size && this.ascii(at, text.length) === text;
  }

  ascii(at: number, length: number): string {
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  range(start: number, end: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(start, end);
  }
}

export type Part = Uint8Array<ArrayBuffer>;

export const sizeOfParts = (parts: readonly Part[]): number =>
  parts.reduce((total, part) => total + part.length, 0);

export function joinParts(...parts: readonly Part[]): Part {
  const whole = new Uint8Array(sizeOfParts(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const asciiBytes = (text: string): Part => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

export function number16(value: number): Part {
  return Uint8Array.of(value >> 8, value & 255);
}

export function number32(value: number, littleEndian = false): Part {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return bytes;
}
