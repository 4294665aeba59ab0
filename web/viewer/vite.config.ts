import react from '@vitejs/plugin-react';

import { defineConfig } from 'vitest/config';

const path = (relative: string) => decodeURIComponent(new URL(relative, import.meta.url).pathname);

// Editor and map packages of @grafana/ui that no panel uses: three quarters of its size.
const REPLACED_PACKAGES = [/^monaco-editor(\/.*)?$/, /^@monaco-editor\/react$/, /^ol(\/.*)?$/];

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  resolve: { alias: REPLACED_PACKAGES.map((find) => ({ find, replacement: path('./src/emptyModule.ts') })) },
  // The tests need React's development build, for `act`.
  define: mode === 'test' ? {} : { 'process.env.NODE_ENV': '"production"', 'process.env': '{}' },
  build: {
    outDir: path('../../src/tallow/stack/viewer/static'),
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows same-origin files only
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
  },
  server: { fs: { allow: [path('../..')] } }, // a test reads the guide in docs/
  test: { environment: 'jsdom', testTimeout: 60_000, include: ['test/**/*.test.ts?(x)'], server: { deps: { inline: [/@grafana/] } } },
}));
