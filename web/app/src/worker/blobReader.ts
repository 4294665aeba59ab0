/** Reads blobs into the same memory again: a new buffer for each part is garbage of hundreds of megabytes. */

const BUFFER_BYTES = 1 << 20;

export class BlobReader {
  /** null before its first use, and while a stream has it. */
  private buffer: ArrayBuffer | null = null;

  /** Calls `use` with the parts of a blob. A part is overwritten after the call. */
  async read(content: Blob, use: (part: Uint8Array) => void): Promise<void> {
    if (!canReuse()) {
      const whole = new Uint8Array(await content.arrayBuffer());
      if (whole.length !== content.size) throw hasChanged();
      use(whole);
      return;
    }
    const reader = content.stream().getReader({ mode: 'byob' });
    let buffer = this.buffer ?? new ArrayBuffer(BUFFER_BYTES);
    this.buffer = null; // another blob may be read meanwhile
    for (let left = content.size; left > 0;) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) throw hasChanged();
      use(value);
      buffer = value.buffer as ArrayBuffer;
      left -= value.length;
    }
    this.buffer = buffer; // no read of the end: not every browser gives the buffer back then
    await reader.cancel();
  }
}

const hasChanged = () => new DOMException('the file has changed', 'NotReadableError');

let isPossible: boolean | null = null;

/** Whether the browser can read a blob into a given buffer. An empty blob tells: WebKit reads one whose stream is made. */
function canReuse(): boolean {
  isPossible ??= hasByteStream(new Blob());
  return isPossible;
}

function hasByteStream(blob: Blob): boolean {
  try {
    blob.stream().getReader({ mode: 'byob' });
    return true;
  } catch {
    return false;
  }
}
