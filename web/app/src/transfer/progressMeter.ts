/** Progress of a transfer: bytes, speed and remaining time, reported at a bounded rate. */

import type { Progress } from '../types';

/** The displayed speed is the mean over this time. */
const WINDOW_MS = 5_000;
const REPORT_EVERY_MS = 200;

export class ProgressMeter {
  value: Progress = {
    phase: 'preparing',
    bytes: 0,
    total: 0,
    bytesPerSecond: null,
    secondsLeft: null,
    file: null,
    filesDone: 0,
    files: 0,
  };
  /** Bytes transferred by this page, without those of earlier connections. */
  transferred = 0;
  private samples: [time: number, transferred: number][] = [];
  private startedAt: number | null = null;
  private reportedAt = -Infinity;

  constructor(private readonly onChange: () => void) {}

  /** Seconds since data started to flow; 0 before. */
  get seconds(): number {
    return this.startedAt === null ? 0 : (performance.now() - this.startedAt) / 1000;
  }

  get hasStarted(): boolean {
    return this.startedAt !== null;
  }

  /** Starts a phase. */
  begin(phase: Progress['phase'], total: number, files: number): void {
    this.samples = [];
    this.set({
      phase,
      total,
      files,
      bytes: 0,
      filesDone: 0,
      file: null,
      bytesPerSecond: null,
      secondsLeft: null,
    });
  }

  /** Data flows from now on; the receiver has `bytes` already. */
  start(bytes: number, filesDone: number): void {
    this.startedAt ??= performance.now();
    this.samples = [[performance.now(), this.transferred]];
    this.set({ bytes, filesDone });
  }

  setFile(file: string): void {
    this.update({ file });
  }

  fileDone(): void {
    this.update({ filesDone: this.value.filesDone + 1 });
  }

  add(bytes: number): void {
    const now = performance.now();
    this.transferred += bytes;
    this.samples.push([now, this.transferred]);
    while (this.samples.length > 2 && this.samples[0]![0] < now - WINDOW_MS) this.samples.shift();
    this.update({ bytes: this.value.bytes + bytes });
  }

  /** Reports the newest values, whatever was reported before. */
  report(): void {
    this.set({});
  }

  private update(changes: Partial<Progress>): void {
    if (performance.now() - this.reportedAt >= REPORT_EVERY_MS) this.set({ ...changes, ...this.speed() });
    else this.value = { ...this.value, ...changes };
  }

  private set(changes: Partial<Progress>): void {
    this.value = { ...this.value, ...changes };
    this.reportedAt = performance.now();
    this.onChange();
  }

  private speed(): Pick<Progress, 'bytesPerSecond' | 'secondsLeft'> {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    const seconds = first && last ? (last[0] - first[0]) / 1000 : 0;
    if (seconds < 0.5) return { bytesPerSecond: null, secondsLeft: null };
    const bytesPerSecond = (last![1] - first![1]) / seconds;
    const remaining = this.value.total - this.value.bytes;
    return { bytesPerSecond, secondsLeft: bytesPerSecond > 0 ? remaining / bytesPerSecond : null };
  }
}
