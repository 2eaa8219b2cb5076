// Drives the web page that `muster dev` serves in Chromium: the console, and meetings.
//
//   MUSTER_PROGRAM       the server; by default its debug build, which reads web/dist
//   MUSTER_CHROMIUM      the browser; by default /usr/bin/chromium
//   MUSTER_SCREENSHOTS   a folder for pictures of each screen; docs/images holds those of the documentation
//
//   node drive.mjs [PART_OF_A_FILE_NAME]
//
// Prints a line for each failed test; the last line is "N passed, N failed".

import { startBrowser } from '../browser/browser.mjs';
import { runTests } from '../browser/tests.mjs';

let score = { passed: 0, failed: 0 };
let browser;
try {
  // A name that is not localhost, for what browsers do not do over plain http.
  browser = await startBrowser({ about: { baseDomain: 'test', tls: '127.0.0.1' } });
  process.env.MUSTER_WEB_BROWSER = browser.address;
  score = await runTests(new URL('tests/', import.meta.url));
} catch (problem) {
  console.log(`FAILED ${problem.stack}`);
  score.failed += 1;
} finally {
  await browser?.stop();
}
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exit(score.failed > 0 || score.passed === 0 ? 1 : 0);
