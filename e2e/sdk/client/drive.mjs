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
const FILE_MS = 120_000;
const here = new URL('.', import.meta.url);
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../target', here));
const program = process.env.MUSTER_SIGNALLING_PROGRAM ?? `${target}/debug/examples/signalling_server`;

/** The server ends with its standard input, so also when this process is killed. */
async function startServer() {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the server ended with status ${code}`);
  });
  const line = createInterface({ input: child.stdout });
  const [about] = await Promise.race([
    once(line, 'line', { signal: AbortSignal.timeout(START_MS) }),
    ended,
  ]);
  return { about, child, ended };
}

async function runTests(about) {
  process.env.MUSTER_SIGNALLING_SERVER = about;
  const only = process.argv[2] ?? '';
  const folder = new URL('tests/', here);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && name.includes(only))
    .map((name) => fileURLToPath(new URL(name, folder)));
  const score = { passed: 0, failed: 0 };
  for await (const { type, data } of run({ files, concurrency: 2, timeout: FILE_MS })) {
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

let server;
let score = { passed: 0, failed: 1 };
try {
  server = await startServer();
  score = await Promise.race([runTests(server.about), server.ended]);
} catch (problem) {
  console.log(`FAILED ${problem.message}`);
}
server?.ended.catch(() => {});
server?.child.stdin.end();
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exit(score.failed > 0 || score.passed === 0 ? 1 : 0);
