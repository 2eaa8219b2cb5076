// Drives a server with the official client SDK and checks what it then shows to an application.
//
//   MUSTER_SIGNALLING_PROGRAM  the example `signalling_server` of muster-testkit
//   MUSTER_TEST_STORE          sqlite or postgres
//
//   node drive.mjs [PART_OF_A_FILE_NAME]
//
// Prints a line for each failed test; the last line is "N passed, N failed".

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { run } from 'node:test';

const START_MS = 30_000;
const STOP_MS = 20_000;
const FILE_MS = 120_000;
const here = new URL('.', import.meta.url);
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../target', here));
const program = process.env.MUSTER_SIGNALLING_PROGRAM ?? `${target}/debug/examples/signalling_server`;

/** The server ends with its standard input, so also when this process is killed. */
class Server {
  child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  exit = once(this.child, 'exit');

  /** Fails once the server has ended. */
  async #ends() {
    const [code, signal] = await this.exit;
    throw new Error(`the server ended (${code ?? signal})`);
  }

  /** What comes of `work`, if the server lives to see it. */
  alongside(work) {
    return Promise.race([work, this.#ends()]);
  }

  /** What the server tells of itself, as JSON. */
  async about() {
    const lines = createInterface({ input: this.child.stdout });
    const line = once(lines, 'line', { signal: AbortSignal.timeout(START_MS) });
    return (await this.alongside(line))[0];
  }

  async stop() {
    this.child.stdin.end();
    const giveUp = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    const [code, signal] = await this.exit;
    clearTimeout(giveUp);
    if (code !== 0) throw new Error(`the server ended badly (${code ?? signal})`);
  }
}

async function runTests(about) {
  process.env.MUSTER_SIGNALLING_SERVER = about;
  const only = process.argv[2] ?? '';
  const folder = new URL('tests/', here);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && name.includes(only))
    .map((name) => fileURLToPath(new URL(name, folder)));
  const score = { passed: 0, failed: 0 };
  for await (const { type, data } of run({ files, concurrency: 3, timeout: FILE_MS })) {
    if (type === 'test:stderr' || type === 'test:stdout') process.stdout.write(data.message);
    if (type === 'test:pass' && data.details.type !== 'suite') score.passed += 1;
    if (type === 'test:fail' && countsAsTest(data)) {
      score.failed += 1;
      const { cause, message } = data.details.error;
      console.log(`FAILED ${data.name}: ${String(cause?.stack ?? cause ?? message)}`);
    }
  }
  return score;
}

// A suite fails with its tests, which have been counted; by itself it counts only when it has none.
function countsAsTest({ details }) {
  return details.error.failureType !== 'subtestsFailed';
}

const server = new Server();
let score = { passed: 0, failed: 0 };
try {
  const about = await server.about();
  score = await server.alongside(runTests(about));
  await server.stop();
} catch (problem) {
  console.log(`FAILED ${problem.message}`);
  score.failed += 1;
}
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exit(score.failed > 0 || score.passed === 0 ? 1 : 0);
