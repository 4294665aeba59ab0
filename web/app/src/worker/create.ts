/** Creates the worker of the engine. */

import { scriptUrl } from '../trustedTypes';
import workerUrl from './worker?worker&url';

/** null where there are no workers. */
export function createWorker(): Worker | null {
  return typeof Worker === 'function' ? new Worker(scriptUrl(workerUrl), { type: 'module' }) : null;
}
