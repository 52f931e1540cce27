import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The daemon serves the page under a policy that refuses every inline script and style, so nothing may be inlined.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: '../../.cache/console',
    emptyOutDir: true,
    target: ['chrome125', 'firefox127', 'safari18'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
