/**
 * Notices that the page slept, as a tab of a phone does: its connections may be dead without an event. A hidden
 * page's timers run once a minute; a longer gap means sleep.
 */

const TICK_MS = 5_000;
const SLEPT_MS = 90_000;

export class SleepDetector {
  private readonly timer: ReturnType<typeof setInterval>;
  private last = Date.now();

  /** `onWake` is called after a sleep; `onOnline` when the network is back, or the person is. */
  constructor(
    private readonly onWake: () => void,
    private readonly onOnline: () => void,
  ) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    globalThis.addEventListener?.('online', this.onOnline);
    globalThis.document?.addEventListener('visibilitychange', this.onVisible);
  }

  stop(): void {
    clearInterval(this.timer);
    globalThis.removeEventListener?.('online', this.onOnline);
    globalThis.document?.removeEventListener('visibilitychange', this.onVisible);
  }

  private readonly onVisible = (): void => {
    if (document.visibilityState !== 'visible') return;
    this.tick();
    this.onOnline();
  };

  private tick(): void {
    const now = Date.now();
    const gap = now - this.last;
    this.last = now;
    if (gap > SLEPT_MS) this.onWake();
  }
}
