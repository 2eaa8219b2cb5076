// Runs test files one after the other and counts.

import { readdirSync } from 'node:fs';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const FILE_MS = process.env.MUSTER_BROWSER_CYCLES ? 3_600_000 : 480_000;

/** Runs the files of a folder whose names contain the program's first argument; answers how many tests did what. */
export async function runTests(folder) {
  const only = process.argv[2] ?? '';
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
