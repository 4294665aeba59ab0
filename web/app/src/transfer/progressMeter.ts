/** Progress of a transfer: bytes, speed and remaining time, reported at a bounded rate. */

import type { Progress } from '../types';

/** The displayed speed is the mean over this time, or since the block before it on a slow line. */
const WINDOW_MS = 5_000;
const REPORT_EVERY_MS = 200;
/** The speed is calculated again this often if nothing moves, until it is 0. */
const RECALCULATE_MS = 1_000;

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
  private nextReport: ReturnType<typeof setTimeout> | undefined;

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
    this.planReport(RECALCULATE_MS);
  }

  setFile(file: string): void {
    this.update({ file });
  }

  fileDone(): void {
    this.update({ filesDone: this.value.filesDone + 1 });
  }

  add(bytes: number): void {
    this.transferred += bytes;
    this.samples.push([performance.now(), this.transferred]);
    this.update({ bytes: this.value.bytes + bytes });
  }

  /** Reports the newest values, the last ones of a transfer. */
  report(): void {
    clearTimeout(this.nextReport);
    this.set({});
  }

  private update(changes: Partial<Progress>): void {
    this.value = { ...this.value, ...changes };
    if (performance.now() - this.reportedAt >= REPORT_EVERY_MS) this.reportSpeed();
    else this.planReport(REPORT_EVERY_MS); // or a transfer that stalls would show less than was transferred
  }

  private reportSpeed(): void {
    this.set(this.speed());
    if (this.samples.length > 0 && this.value.bytesPerSecond !== 0) this.planReport(RECALCULATE_MS);
  }

  private planReport(delay: number): void {
    clearTimeout(this.nextReport);
    this.nextReport = setTimeout(() => this.reportSpeed(), delay);
  }

  private set(changes: Partial<Progress>): void {
    this.value = { ...this.value, ...changes };
    this.reportedAt = performance.now();
    this.onChange();
  }

  private speed(): Pick<Progress, 'bytesPerSecond' | 'secondsLeft'> {
    const now = performance.now();
    while (this.samples.length > 1 && this.samples[1]![0] < now - WINDOW_MS) this.samples.shift();
    const [first] = this.samples;
    const seconds = first ? (now - first[0]) / 1000 : 0;
    const moved = first ? this.transferred - first[1] : 0;
    if (moved === 0) return { bytesPerSecond: seconds * 1000 < WINDOW_MS ? null : 0, secondsLeft: null };
    if (seconds < 0.5) return { bytesPerSecond: null, secondsLeft: null };
    const bytesPerSecond = moved / seconds;
    return { bytesPerSecond, secondsLeft: (this.value.total - this.value.bytes) / bytesPerSecond };
  }
}
