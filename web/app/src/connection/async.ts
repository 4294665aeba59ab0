/** Waiting: queues that can be closed, time limits, and pauses that can be cut short. */

/** Settles from outside. A rejection that nobody awaits is no unhandled one. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;
  settled = false;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = (value) => {
        this.settled = true;
        resolve(value);
      };
      this.reject = (error) => {
        this.settled = true;
        reject(error);
      };
    });
    this.promise.catch(() => {});
  }
}

/** Items in order. After `fail`, readers get the remaining items and then the error. */
export class ClosableQueue<T> {
  private readonly items: T[] = [];
  private error: Error | null = null;
  private changed = new Deferred<void>();

  get length(): number {
    return this.items.length;
  }

  /** Whether `get` would not wait. */
  get isReady(): boolean {
    return this.items.length > 0 || this.error !== null;
  }

  /** Adds an item; a closed queue drops it. */
  put(item: T): void {
    if (this.error !== null) return;
    this.items.push(item);
    this.notify();
  }

  /** Closes the queue. Only the first error counts. */
  fail(error: Error): void {
    this.error ??= error;
    this.notify();
  }

  /** Resolves once `get` would not wait. It takes nothing, so that it may lose a race. */
  async ready(): Promise<void> {
    while (!this.isReady) await this.changed.promise;
  }

  async get(): Promise<T> {
    while (this.items.length === 0) {
      if (this.error !== null) throw this.error;
      await this.changed.promise;
    }
    return this.items.shift()!;
  }

  private notify(): void {
    this.changed.resolve();
    this.changed = new Deferred();
  }
}

/** A condition that others wait for. */
export class Flag {
  private deferred = new Deferred<void>();

  get isSet(): boolean {
    return this.deferred.settled;
  }

  set(): void {
    this.deferred.resolve();
  }

  clear(): void {
    if (this.deferred.settled) this.deferred = new Deferred();
  }

  wait(): Promise<void> {
    return this.deferred.promise;
  }
}

/** Resolves after a time, or as soon as `wake` does. */
export async function pause(milliseconds: number, wake?: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, milliseconds));
  });
  try {
    await (wake === undefined ? elapsed : Promise.race([elapsed, wake]));
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's result, or `error()` after a time. The promise itself goes on. */
export async function withTimeout<T>(
  promise: Promise<T>,
  milliseconds: number,
  error: () => Error,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), milliseconds);
  });
  promise.catch(() => {}); // it may fail after the time
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
