// The page that the tests open: the SDK and the UI kit as published, and `page/`.

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const packages = createRequire(import.meta.url);
const sdk = dirname(packages.resolve('@cloudflare/realtimekit'));
const kit = join(dirname(packages.resolve('@cloudflare/realtimekit-ui')), 'realtimekit-ui');
const files = {
  '/': [new URL('page/index.html', import.meta.url), 'text/html'],
  '/page.js': [new URL('page/page.js', import.meta.url), 'text/javascript'],
  '/sdk.js': [join(sdk, 'browser.js'), 'text/javascript'],
};
// The kit loads its components one by one, when a page uses them.
const scripts = '/kit/';
for (const name of readdirSync(kit)) {
  if (name.endsWith('.js')) files[scripts + name] = [join(kit, name), 'text/javascript'];
}

/** Serves it on localhost, where a page may use a camera without TLS. */
export async function startPages() {
  const server = createServer(async (request, response) => {
    const [file, type] = files[request.url] ?? [];
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(await readFile(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://localhost:${server.address().port}/`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
