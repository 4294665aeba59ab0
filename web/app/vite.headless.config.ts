import { defineConfig } from 'vite';

const path = (relative: string) => decodeURIComponent(new URL(relative, import.meta.url).pathname);

// The engine for Node, for tests of tests/integration against real servers and peers.
export default defineConfig({
  plugins: [
    {
      name: 'no-worker', // Node has no web workers: the cryptography runs in its thread
      enforce: 'pre',
      resolveId: (source) => (source.endsWith('worker?worker&url') ? '\0no-worker' : null),
      load: (id) => (id === '\0no-worker' ? 'export default "";' : null),
    },
  ],
  build: {
    ssr: path('./test/headless/page.ts'),
    outDir: path('../../tests/support/web_app'),
    emptyOutDir: false,
    minify: false,
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'headless_page.mjs', inlineDynamicImports: true } },
  },
  ssr: { noExternal: true },
});
