/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  // The server puts the nonce of each response there.
  html: { cspNonce: '%CSP-NONCE%' },
  build: {
    outDir: '../internal/web/dist',
    emptyOutDir: true,
    // The policy allows no data: addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      // The API answers its own origin only: the proxy speaks as that.
      '/api': { target: server, changeOrigin: true, headers: { origin: server } },
      // There people and programs have the same addresses.
      '/rgw': { target: server, changeOrigin: true, headers: { origin: server }, bypass: ({ headers }) => (headers.accept?.includes('text/html') ? '/index.html' : undefined) },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
