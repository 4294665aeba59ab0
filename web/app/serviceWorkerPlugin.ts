/** Builds the service worker with the list of all other built files and a hash of their content. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { build } from 'esbuild';
import type { Plugin } from 'vite';

const NOT_CACHED = /\.(map|txt)$/;

function publicFiles(folder: string): Map<string, Uint8Array> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = found.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(folder, path).replaceAll('\\', '/'), readFileSync(path)]));
}

/**
 * The worker is one classic script at `/sw.js`: not every browser runs modules there.
 *
 * @param source of the worker.
 */
export function serviceWorker(source: string): Plugin {
  let publicFolder = '';
  return {
    name: 'tallow-service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved: (config) => void (publicFolder = config.publicDir),
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const files = publicFiles(publicFolder);
        for (const [name, item] of Object.entries(bundle))
          files.set(name, Buffer.from(item.type === 'chunk' ? item.code : item.source));
        const names = [...files.keys()].filter((name) => !NOT_CACHED.test(name)).sort();
        const hash = createHash('sha256');
        for (const name of names)
          hash.update(name).update(createHash('sha256').update(files.get(name)!).digest());
        const paths = names.map((name) => (name === 'index.html' ? '/' : `/${name}`));
        const built = await build({
          entryPoints: [source],
          bundle: true,
          write: false,
          minify: true,
          format: 'iife',
          target: 'es2022',
          define: { PRECACHE: JSON.stringify(paths), BUILD: JSON.stringify(hash.digest('hex').slice(0, 16)) },
        });
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: built.outputFiles[0]!.text });
      },
    },
  };
}
