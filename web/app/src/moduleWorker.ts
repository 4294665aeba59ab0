/** Workers that are modules. */

import { scriptUrl } from './trustedTypes';

/** Starts a worker. null where there are no workers, or none that are modules. */
export function startModuleWorker(url: string): Worker | null {
  if (typeof Worker !== 'function') return null;
  let isModule = false;
  const worker = new Worker(scriptUrl(url), {
    /** A browser without module workers does not read it, and runs the file as a script. */
    get type(): WorkerType {
      isModule = true;
      return 'module';
    },
  });
  if (isModule) return worker;
  worker.terminate();
  return null;
}
