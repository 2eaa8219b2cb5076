// `muster dev` on a free port, as a newcomer starts it, and what it prints.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const START_MS = 30_000;
const STOP_MS = 20_000;
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url));
const program = process.env.MUSTER_PROGRAM ?? `${target}/debug/muster`;

/** A port that nobody listens on. The page's address must stay the same when the server starts again. */
export async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class DevServer {
  #child;
  #exit;

  static async start() {
    const home = await mkdtemp(join(tmpdir(), 'muster-web.'));
    const server = Object.assign(new DevServer(), { home, port: await freePort() });
    await server.begin();
    return server;
  }

  /** Starts the program; `told` is then what it printed as `name value` lines. */
  async begin() {
    const flags = ['--data-dir', join(this.home, 'data'), '--listen', `127.0.0.1:${this.port}`];
    flags.push('--media-listen', '127.0.0.1:0');
    this.#child = spawn(program, ['dev', ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#exit = once(this.#child, 'exit');
    this.told = await Promise.race([this.#listen(), this.#ends()]);
    this.origin = `http://localhost:${this.port}`;
    this.api = `${this.origin}/client/v4/accounts/${this.told.account}/realtime/kit/${this.told.app}`;
  }

  async #listen() {
    const told = {};
    for await (const line of createInterface({ input: this.#child.stdout, signal: AbortSignal.timeout(START_MS) })) {
      const [name, value] = line.split(/\s+/);
      told[name] = value;
      if (name === 'curl') {
        this.#child.stdout.resume();
        return told;
      }
    }
    throw new Error('the server did not get ready');
  }

  async #ends() {
    const [code, signal] = await this.#exit;
    throw new Error(`the server ended (${code ?? signal})`);
  }

  /** The management API, below the app. */
  async rest(method, path, body) {
    const answer = await fetch(this.api + path, {
      method,
      headers: { authorization: `Bearer ${this.told.token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text).data;
  }

  /** A meeting of its own with a participant, and the address at which that one joins. */
  async invite({ title = 'A test', preset = 'group_call_host', ...rest } = {}) {
    const meeting = await this.rest('POST', '/meetings', { title });
    const participant = await this.rest('POST', `/meetings/${meeting.id}/participants`, {
      name: 'Ada',
      preset_name: preset,
      custom_participant_id: 'ada',
      ...rest,
    });
    return { meeting, participant, link: `${this.origin}/meet/${meeting.id}#token=${participant.token}` };
  }

  /** Ends the program; `begin` starts it again where it was. */
  async halt(how = 'SIGTERM') {
    this.#child.kill(how);
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    const [code] = await this.#exit;
    clearTimeout(giveUp);
    return code;
  }

  async stop() {
    const code = await this.halt();
    await rm(this.home, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the server ended badly (${code})`);
  }
}
