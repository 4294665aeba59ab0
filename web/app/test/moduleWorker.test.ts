import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => vi.unstubAllGlobals());

/** A browser's `Worker`; one without module workers ignores the options. */
class BrowserWorker {
  static readsType = true;
  static terminated = 0;

  constructor(_url: string, options: WorkerOptions) {
    if (BrowserWorker.readsType) expect(options.type).toBe('module');
  }

  terminate(): void {
    BrowserWorker.terminated++;
  }
}

test.each<[string, boolean, number]>([
  ['module workers', true, 0],
  ['script workers only', false, 1],
])('in a browser with %s', async (_, readsType, terminated) => {
  Object.assign(BrowserWorker, { readsType, terminated: 0 });
  vi.stubGlobal('Worker', BrowserWorker);
  vi.stubGlobal('location', new URL('https://tallow.example/'));
  const { startModuleWorker } = await import('../src/moduleWorker');
  expect(startModuleWorker('/assets/worker.js') instanceof BrowserWorker).toBe(readsType);
  expect(BrowserWorker.terminated).toBe(terminated);
});

test('without workers there is none', async () => {
  vi.stubGlobal('Worker', undefined);
  const { startModuleWorker } = await import('../src/moduleWorker');
  expect(startModuleWorker('/assets/worker.js')).toBeNull();
});
