// Drives a server with the official client SDK in Chromium and checks that people see and hear each other.
//
//   MUSTER_PROGRAM             the server; by default its debug build
//   MUSTER_CHROMIUM            the browser; by default /usr/bin/chromium
//   MUSTER_TEST_STORE          sqlite or postgres
//   MUSTER_TEST_POSTGRES_URL   for postgres
//   MUSTER_BROWSER_TESTS       the folder of the tests; by default tests. Those in networks go by the clock: `make networks`
//   MUSTER_BROWSER_CYCLES      how often `long` shares a screen and switches a camera; by default 20 times
//
//   node drive.mjs [PART_OF_A_FILE_NAME]
//
// Prints a line for each failed test; the last line is "N passed, N failed".

import { startBrowser } from './browser.mjs';
import { startPages } from './pages.mjs';
import { Server } from './server.mjs';
import { runTests } from './tests.mjs';

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
  score = await server.alongside(runTests(new URL(`${process.env.MUSTER_BROWSER_TESTS ?? 'tests'}/`, import.meta.url)));
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
