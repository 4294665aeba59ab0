/** Adds the licences of the packages that are part of the page, as the licences ask for. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Plugin } from 'vite';

const LICENSE_FILE = /^licen[cs]e(\.\w+)?$/i;

/** @param folder of `package.json` and `node_modules`. */
export function licenses(folder: string): Plugin {
  const read = (...names: string[]) => readFileSync(join(folder, ...names), 'utf8');
  return {
    name: 'tallow-licenses',
    apply: 'build',
    generateBundle() {
      const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
      const texts = Object.entries(dependencies).map(([name, version]) => {
        const file = readdirSync(join(folder, 'node_modules', name)).find((entry) =>
          LICENSE_FILE.test(entry),
        );
        if (!file) this.error(`${name} has no licence file`);
        return `${name} ${version}\n\n${read('node_modules', name, file as string).trim()}\n`;
      });
      const head = 'This page contains the following packages.\n';
      this.emitFile({
        type: 'asset',
        fileName: 'licenses.txt',
        source: [head, ...texts].join(`\n${'-'.repeat(78)}\n\n`),
      });
    },
  };
}
