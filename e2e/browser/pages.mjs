// The page that the tests open: the SDK as published, and `page/`.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const sdk = dirname(createRequire(import.meta.url).resolve('@cloudflare/realtimekit'));
const files = {
  '/': [new URL('page/index.html', import.meta.url), 'text/html'],
  '/page.js': [new URL('page/page.js', import.meta.url), 'text/javascript'],
  '/sdk.js': [join(sdk, 'browser.js'), 'text/javascript'],
};

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
