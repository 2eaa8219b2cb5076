// Drives a server with the official client SDK in Chromium and checks that people see and hear each other.
//
//   MUSTER_PROGRAM             the server; by default its debug build
//   MUSTER_CHROMIUM            the browser; by default /usr/bin/chromium
//   MUSTER_TEST_STORE          sqlite or postgres
//   MUSTER_TEST_POSTGRES_URL   for postgres
//   MUSTER_BROWSER_CYCLES      how often `long` shares a screen and switches a camera; by default 20 times
//
//   node drive.mjs [PART_OF_A_FILE_NAME]
//
// Prints a line for each failed test; the last line is "N passed, N failed".

import { readdirSync } from 'node:fs';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { startPages } from './pages.mjs';
import { Server } from './server.mjs';

const FILE_MS = process.env.MUSTER_BROWSER_CYCLES ? 3_600_000 : 240_000;

async function runTests() {
  const only = process.argv[2] ?? '';
  const folder = new URL('tests/', import.meta.url);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && name.includes(only))
    .map((name) => fileURLToPath(new URL(name, folder)));
  const score = { passed: 0, failed: 0 };
  // One after the other: video for several people is all that a small machine can encode.
  for await (const { type, data } of run({ files, concurrency: 1, timeout: FILE_MS })) {
    if (type === 'test:stderr' || type === 'test:stdout') process.stdout.write(data.message);
    if (type === 'test:pass' && data.details.type !== 'suite') score.passed += 1;
    // A suite fails with its tests, which have been counted; by itself it counts only when it has none.
    if (type === 'test:fail' && data.details.error.failureType !== 'subtestsFailed') {
      score.failed += 1;
      const { cause, message } = data.details.error;
      console.log(`FAILED ${data.name}: ${String(cause?.stack ?? cause ?? message)}`);
    }
  }
  return score;
}

const stops = [];
let score = { passed: 0, failed: 0 };
try {
  const server = await Server.start();
  stops.push(() => server.stop());
  const pages = await startPages();
  stops.push(() => pages.stop());
  const browser = await startBrowser(server);
  stops.push(() => browser.stop());
  process.env.MUSTER_BROWSER_TEST = JSON.stringify({
    ...server.about,
    browser: browser.address,
    page: pages.address,
  });
  score = await server.alongside(runTests());
} catch (problem) {
  console.log(`FAILED ${problem.stack}`);
  score.failed += 1;
}
for (const stop of stops.reverse()) {
  await stop().catch((problem) => {
    console.log(`FAILED ${problem.message}`);
    score.failed += 1;
  });
}
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exit(score.failed > 0 || score.passed === 0 ? 1 : 0);
