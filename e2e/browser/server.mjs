// A throw-away server, with TLS, and an app in it.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const START_MS = 30_000;
const STOP_MS = 20_000;
const BASE_DOMAIN = 'rtk.test';
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url));
const program = process.env.MUSTER_PROGRAM ?? `${target}/debug/muster`;

export class Server {
  #child;
  #home;
  #exit;

  static async start() {
    const home = await mkdtemp(join(tmpdir(), 'muster-browser.'));
    const server = new Server();
    const store = ['--data-dir', join(home, 'data')];
    if (process.env.MUSTER_TEST_STORE === 'postgres') {
      store.push('--database-url', process.env.MUSTER_TEST_POSTGRES_URL);
    }
    const flags = ['--listen', '127.0.0.1:0', '--tls-listen', '127.0.0.1:0', '--tls-self-signed'];
    flags.push('--media-listen', '127.0.0.1:0', '--base-domain', BASE_DOMAIN);
    const env = { ...process.env, MUSTER_RECONNECT_GRACE_SECS: '10' };
    const child = spawn(program, ['serve', ...store, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.pipe(createWriteStream(process.env.MUSTER_SERVER_LOG ?? join(home, 'log')));
    server.#child = child;
    server.#home = home;
    server.#exit = once(child, 'exit');
    const told = await server.alongside(addresses(child.stdout));
    const accountId = process.pid.toString(16).padStart(32, '0');
    const token = ['token', 'create', ...store, '--account-id', accountId, '--permission', 'realtime-admin'];
    const { stdout } = await promisify(execFile)(program, token);
    const apiToken = stdout.trim().split('\n').at(-1);
    const root = `${told.http}/client/v4/accounts/${accountId}/realtime/kit`;
    const answer = await fetch(`${root}/apps`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `Browser ${process.pid}` }),
    });
    const { data } = await answer.json();
    server.about = { api: `${root}/${data.app.id}`, apiToken, baseDomain: BASE_DOMAIN, tls: new URL(told.https).host };
    return server;
  }

  /** What comes of `work`, if the server lives to see it. */
  alongside(work) {
    const ended = this.#exit.then(([code, signal]) => {
      throw new Error(`the server ended (${code ?? signal})`);
    });
    return Promise.race([work, ended]);
  }

  async stop() {
    this.#child.kill('SIGTERM');
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    const [code, signal] = await this.#exit;
    clearTimeout(giveUp);
    await rm(this.#home, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the server ended badly (${code ?? signal})`);
  }
}

/** What the server prints about itself when it is ready: `{http, https, media, links}`. */
async function addresses(output) {
  const told = {};
  const lines = createInterface({ input: output, signal: AbortSignal.timeout(START_MS) });
  for await (const line of lines) {
    const [name, address] = line.split(/\s+/);
    told[name] = address;
    if (name === 'links') return told;
  }
  throw new Error('the server did not get ready');
}
