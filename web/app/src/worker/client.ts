/** The page's side of its worker. */

import type { Fact } from '../types';
import { ProtocolError } from '../crypto/errors';
import { Deferred } from '../connection/async';
import { LocalError } from '../connection/errors';
import { type Call, type CryptoFunctions, type Result, transferable } from './messages';

/** An error of the worker that is none of the protocol, such as a file that cannot be read. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  constructor(readonly failure: string) {
    super(failure);
  }
}

export interface CryptoService extends CryptoFunctions {
  /** Ends the worker, and with it all keys. */
  terminate(): void;
}

/** Runs the cryptography of a session in a worker; where it cannot run there, in this thread. */
export async function startCrypto(onFact: (fact: Fact) => void): Promise<CryptoService> {
  const { createWorker } = await import('./create');
  const worker = createWorker();
  if (worker !== null) return new WorkerClient(worker, onFact).service();
  const { TransferCrypto } = await import('./transferCrypto');
  return Object.assign(new TransferCrypto(onFact), { terminate: () => {} });
}

class WorkerClient {
  private readonly calls = new Map<number, Deferred<unknown>>();
  private next = 0;

  constructor(
    private readonly worker: Worker,
    private readonly onFact: (fact: Fact) => void,
  ) {
    worker.addEventListener('message', (event: MessageEvent<Result>) => this.onResult(event.data));
    worker.addEventListener('error', () => this.failAll());
  }

  service(): CryptoService {
    const call = (name: string, parameters: readonly unknown[]): unknown => {
      if (name === 'terminate') return this.terminate();
      return this.call(name as Call['name'], parameters);
    };
    return new Proxy({} as CryptoService, {
      get: (_, name) =>
        // A service is returned from an async function: it must not look like a promise.
        name === 'then' ? undefined : (...parameters: unknown[]) => call(String(name), parameters),
    });
  }

  private call(name: Call['name'], parameters: readonly unknown[]): Promise<unknown> {
    const id = this.next++;
    const result = new Deferred<unknown>();
    this.calls.set(id, result);
    const owned = name === 'open' || name === 'seal' ? transferable(parameters) : [];
    this.worker.postMessage({ id, name, parameters } satisfies Call, owned);
    return result.promise;
  }

  private onResult(result: Result): void {
    const call = this.calls.get(result.id);
    this.calls.delete(result.id);
    for (const fact of result.facts) this.onFact(fact);
    if ('value' in result) call?.resolve(result.value);
    else if ('code' in result) call?.reject(new ProtocolError(result.code, result.side));
    else call?.reject(new WorkerError(result.failure));
  }

  private failAll(): void {
    for (const call of this.calls.values()) call.reject(new LocalError('worker_failed'));
    this.calls.clear();
  }

  private terminate(): void {
    this.worker.terminate();
    this.failAll();
  }
}
