// Drives a server with the official TypeScript SDK and checks every answer.
//
//   MUSTER_BASE_URL    such as http://127.0.0.1:8080/client/v4
//   MUSTER_ACCOUNT_ID  the account
//   MUSTER_TOKEN       an API token of that account
//
// Prints a line for each failed check; the last line is "N passed, N failed".

import * as activeSession from './checks/active-session.mjs';
import * as analytics from './checks/analytics.mjs';
import * as apps from './checks/apps.mjs';
import * as errors from './checks/errors.mjs';
import * as livestreams from './checks/livestreams.mjs';
import * as meetings from './checks/meetings.mjs';
import * as participants from './checks/participants.mjs';
import * as presets from './checks/presets.mjs';
import * as recordings from './checks/recordings.mjs';
import * as sessions from './checks/sessions.mjs';
import * as tokens from './checks/tokens.mjs';
import * as webhooks from './checks/webhooks.mjs';
import { World, sdkMethods } from './harness.mjs';

// Every function that one of these exports is a check.
const MODULES = {
  tokens,
  errors,
  apps,
  presets,
  meetings,
  participants,
  webhooks,
  activeSession,
  sessions,
  recordings,
  livestreams,
  analytics,
};
const RUN_LIMIT_MS = 180_000;

class Score {
  passed = 0;
  failed = 0;
  deadline = Date.now() + RUN_LIMIT_MS;

  async run(name, check) {
    try {
      if (Date.now() > this.deadline) {
        throw new Error(`not started: the run took more than ${RUN_LIMIT_MS / 1000} s`);
      }
      await check();
    } catch (problem) {
      this.failed += 1;
      console.log(`FAILED ${name}: ${String(problem.message ?? problem).replace(/\s+/g, ' ')}`);
      return false;
    }
    this.passed += 1;
    return true;
  }
}

function everySdkMethodWasCalled(world) {
  const missing = sdkMethods(world.client.realtimeKit).filter((name) => !world.called.has(name));
  if (missing.length > 0) throw new Error(`never called: ${missing.sort().join(', ')}`);
}

function environment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

const world = new World(
  environment('MUSTER_BASE_URL'),
  environment('MUSTER_ACCOUNT_ID'),
  environment('MUSTER_TOKEN'),
);
const score = new Score();
if (await score.run('an app is created', () => world.open())) {
  for (const [module, checks] of Object.entries(MODULES)) {
    for (const [name, check] of Object.entries(checks)) {
      await score.run(`${module}.${name}`, () => check(world));
    }
  }
  await score.run('every SDK method was called', () => everySdkMethodWasCalled(world));
}
score.deadline = Infinity; // cleaning up is never skipped
if (world.apps.length > 0) {
  await score.run('the apps of this run are removed', () => world.close());
}
console.log(`${score.passed} passed, ${score.failed} failed`);
process.exitCode = score.failed > 0 ? 1 : 0;
