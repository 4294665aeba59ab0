/** Keeps a received text in memory, for the screen. */

import type { FileWriter, Sink } from '../types';
import { concat } from '../crypto/bytes';

/** A longer text is received as a file. */
export const MAX_TEXT_BYTES = 4 << 20;

export class TextSink implements Sink {
  constructor(private readonly onText: (text: string) => void) {}

  async open(): Promise<FileWriter> {
    let pieces: Uint8Array[] = [];
    return {
      kept: null,
      write: async (chunk) => void pieces.push(chunk),
      commit: async () => this.onText(new TextDecoder().decode(concat(...pieces))),
      discard: async () => {
        pieces = [];
      },
      suspend: async () => {},
    };
  }

  async makeFolder(): Promise<void> {}

  async isComplete(): Promise<boolean> {
    return false;
  }
}
