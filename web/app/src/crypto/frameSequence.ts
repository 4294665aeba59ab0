/**
 * The order of received frames. Headers are checked before decryption, so that an error can name what is wrong
 * with a frame. A forged header that passes is rejected at decryption.
 */

import { ProtocolError } from './errors';
import { type FrameHeader, FrameType, NO_FILE } from './frames';

export class FrameSequence {
  private wanted: Omit<FrameHeader, 'final'> | null = null;
  private size: number | null = null;

  /** Sets what comes next: a document, or a file of `size` bytes from `position` on. */
  expect(type: FrameType, file = NO_FILE, position = 0, size: number | null = null): void {
    this.wanted = { type, file, index: position };
    this.size = size;
  }

  /** Whether the expected document or file was received to its end. */
  get complete(): boolean {
    return this.wanted === null;
  }

  /** Checks whether a frame with a payload of `length` bytes may come now. */
  check(frame: FrameHeader, length: number): void {
    if (frame.type === FrameType.abort) return;
    if (this.wanted === null) throw new ProtocolError('replayed');
    checkPosition(frame, this.wanted);
    if (this.size !== null) checkEnd(frame.final, this.size - frame.index - length);
  }

  /** Moves on after a frame that passed `check` and was decrypted. */
  advance(frame: FrameHeader, length: number): void {
    if (frame.type === FrameType.abort) return;
    this.wanted = frame.final ? null : { type: frame.type, file: frame.file, index: frame.index + length };
  }
}

function checkPosition(frame: FrameHeader, wanted: Omit<FrameHeader, 'final'>): void {
  if (frame.type !== wanted.type) {
    throw new ProtocolError(wanted.type === FrameType.data ? 'truncated' : 'malformed');
  }
  if (frame.file !== wanted.file) throw new ProtocolError('wrong_file');
  if (frame.index !== wanted.index) {
    throw new ProtocolError(frame.index < wanted.index ? 'replayed' : 'reordered');
  }
}

/** Compares the final flag with the number of bytes that are missing after this frame. */
function checkEnd(final: boolean, remaining: number): void {
  if (remaining < 0 || (remaining === 0 && !final)) throw new ProtocolError('malformed');
  if (remaining > 0 && final) throw new ProtocolError('truncated');
}
