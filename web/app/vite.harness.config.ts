import { defineConfig } from 'vite';

const path = (relative: string) => decodeURIComponent(new URL(relative, import.meta.url).pathname);

// The engine without screens, for tests that drive a real browser; `--outDir` says where it goes.
export default defineConfig({
  root: path('./test/browser'),
  base: '/harness/',
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022' },
  worker: { format: 'es' },
});
