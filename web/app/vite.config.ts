import { defineConfig } from 'vitest/config';

import { licenses } from './licensesPlugin';
import { serviceWorker } from './serviceWorkerPlugin';

const path = (relative: string) => decodeURIComponent(new URL(relative, import.meta.url).pathname);

/**
 * Puts what the worker shares with its lazily loaded cryptography into a file of its own. Rollup would leave it in the
 * worker's first script, and the lazy files would import that script: WebKit then runs it a second time, and two workers
 * answer each message.
 */
const hashesApart = (id: string): string | undefined =>
  /\/node_modules\/@noble\/hashes\/(?!sha3)/.test(id) ? 'hashes' : undefined;

export default defineConfig({
  plugins: [licenses(path('.')), serviceWorker(path('./src/pwa/sw.ts'))],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: path('../../src/tallow/app/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows same-origin files only
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  worker: { format: 'es', rollupOptions: { output: { manualChunks: hashesApart } } },
  server: { fs: { allow: [path('../..')] } }, // a test reads the vectors of the protocol
  test: { environment: 'node', testTimeout: 60_000, include: ['test/**/*.test.ts'] },
});
