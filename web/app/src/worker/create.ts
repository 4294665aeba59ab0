/** Creates the worker of the engine. */

import { startModuleWorker } from '../moduleWorker';
import workerUrl from './worker?worker&url';

/** null where it cannot run. */
export function createWorker(): Worker | null {
  return startModuleWorker(workerUrl);
}
