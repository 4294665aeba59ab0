/** The worker: runs {@link TransferCrypto} for one session of the page. */

import type { Fact } from '../types';
import { ProtocolError } from '../crypto/errors';
import { type Call, type Result, transferable } from './messages';
import { TransferCrypto } from './transferCrypto';

/** The part of DedicatedWorkerGlobalScope that is used here; the DOM types describe a window. */
interface WorkerScope {
  postMessage(message: Result, transfer: ArrayBuffer[]): void;
  addEventListener(name: 'message', listener: (event: MessageEvent<Call>) => void): void;
}

const scope = self as unknown as WorkerScope;
let facts: Fact[] = [];
const crypto = new TransferCrypto((fact) => facts.push(fact));

scope.addEventListener('message', ({ data }) => void answer(data));

async function answer({ id, name, parameters }: Call): Promise<void> {
  const work = crypto[name] as (...given: readonly unknown[]) => Promise<unknown>;
  try {
    const value = await work.apply(crypto, parameters as unknown[]);
    scope.postMessage({ id, facts: takeFacts(), value }, transferable([value]));
  } catch (error) {
    const fault =
      error instanceof ProtocolError
        ? { code: error.code, side: error.side }
        : { failure: error instanceof Error ? error.name : 'Error' };
    scope.postMessage({ id, facts: takeFacts(), ...fault }, []);
  }
}

function takeFacts(): Fact[] {
  const taken = facts;
  facts = [];
  return taken;
}
