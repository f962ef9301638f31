import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA, type ManifestOptions } from 'vite-plugin-pwa';
import { assetFolders } from './scripts/vite-assets.ts';
import { TEST_HUB_PATH, testHub } from './tests/support/test-hub.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const json = (relative: string): unknown => JSON.parse(readFileSync(path(relative), 'utf8'));

const { version } = json('./package.json') as { version: string };
const ort = json('./node_modules/onnxruntime-web/package.json') as { version: string };

/** ONNX Runtime's own wasm asset is never loaded: workers name the files under /ort/, and 41 MB stay out of the build. */
const withoutOrtAssets: Plugin = {
  name: 'unisono-without-ort-assets',
  generateBundle(_, bundle) {
    for (const name of Object.keys(bundle)) if (name.includes('ort-wasm-simd')) delete bundle[name];
  },
};

/** Threads in WebAssembly need a cross-origin isolated page. */
const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig(({ mode }) => ({
  plugins: [
    paraglideVitePlugin({
      project: './project.inlang',
      outdir: './src/paraglide',
      strategy: ['localStorage', 'preferredLanguage', 'baseLocale'],
      emitTsDeclarations: true,
    }),
    svelte(),
    withoutOrtAssets,
    mode === 'test' && testHub(),
    assetFolders([
      { url: '/models', dir: path('./.cache/starter') },
      {
        url: `/ort/${ort.version}`,
        dir: path('./node_modules/onnxruntime-web/dist'),
        only: /ort-wasm-simd-threaded(\.asyncify)?\.(mjs|wasm)$/,
      },
    ]),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'workers/sw',
      filename: 'sw.ts',
      injectRegister: false,
      manifest: json('./manifest.webmanifest') as Partial<ManifestOptions>,
      injectManifest: {
        globPatterns: ['**/*.{js,mjs,css,html,svg,png,woff2,webmanifest,wav}'],
        globIgnores: ['models/**', 'ort/**', 'sw.js'],
        maximumFileSizeToCacheInBytes: 4 * 1024 * 1024,
      },
    }),
  ],
  define: {
    __APP_VERSION__: JSON.stringify(version),
    __ORT_URL__: JSON.stringify(`/ort/${ort.version}/`),
    // Set by tests that serve two builds side by side.
    __BUILD__: process.env.UNISONO_BUILD ?? String(Date.now()),
    __PROTOCOL__: process.env.UNISONO_PROTOCOL ?? '1',
    __HUB_URL__: JSON.stringify(mode === 'test' ? TEST_HUB_PATH : 'https://huggingface.co/'),
    __TEST_HOOKS__: JSON.stringify(mode !== 'production'),
  },
  resolve: {
    alias: { '@core': path('./src/core'), '@src': path('./src'), '@workers': path('./workers') },
  },
  worker: { format: 'es' },
  // Found late, through workers: without this the first run of tests or of the dev server reloads.
  optimizeDeps: {
    include: ['@huggingface/transformers', 'birpc', 'idb', 'idb-keyval', 'mediabunny', 'opencc-js/t2cn'],
  },
  build: { target: 'es2023', assetsInlineLimit: 0 },
  server: { headers: isolationHeaders, port: 5173 },
  preview: { headers: isolationHeaders, port: 4173, strictPort: true },
}));
