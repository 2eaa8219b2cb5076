import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';
import { compress } from './compress';

/** Where `npm run dev` finds a server: `muster dev`. */
const server = process.env.MUSTER_URL ?? 'http://localhost:8080';
const faces = [
  ...['/client', '/v2', '/ws', '/iceservers', '/files', '/otel', '/api', '/location'],
  ...['/settings.json', '/dev-origin.js', '/healthz', '/openapi.json', '/.well-known'],
];

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `npm run dev` answers meetings with their page, as the server does. */
const meetings: Plugin = {
  name: 'meetings',
  configureServer({ middlewares }) {
    middlewares.use((request, _, next) => {
      if (/^\/meet\/[^./]*$/.test(request.url ?? '')) request.url = '/meet/index.html';
      next();
    });
  },
};

export default defineConfig({
  plugins: [preact(), meetings, compress()],
  build: {
    target: 'es2022',
    // Everything is a file of our own: the Content-Security-Policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The meeting kit is one file.
    chunkSizeWarningLimit: 2500,
    rollupOptions: {
      input: { console: at('index.html'), meet: at('meet/index.html') },
    },
  },
  server: { proxy: Object.fromEntries(faces.map((path) => [path, { target: server, ws: true }])) },
});
