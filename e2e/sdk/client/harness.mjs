// What every test uses: meetings with their records, people who join them by the SDK, and ways to wait.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { closePage, sleep } from './browser.mjs';
import { connect, cutAll, directFetch } from './network.mjs';

/** How long anything that should happen may take. */
const PATIENCE_MS = 15_000;
/** How long a test may take. */
const TEST_MS = 60_000;

export const server = JSON.parse(process.env.MUSTER_SIGNALLING_SERVER ?? fail());
connect(server);
const { default: RealtimeKit } = await import('@cloudflare/realtimekit');

function fail() {
  throw new Error('MUSTER_SIGNALLING_SERVER is not set: run this by drive.mjs');
}

/** The tests of a file: side by side, unless `inTurn`. */
export function suite(name, body, { inTurn = false } = {}) {
  describe(name, { concurrency: !inTurn, timeout: TEST_MS }, () => {
    before(forgiveSdk);
    after(() => {
      closePage();
      cutAll();
    });
    body();
  });
}

// The SDK lets go of promises, such as those for replies of a connection that was cut or for figures of one
// that was closed. A page does not end with that, and no test may; other errors remain the test's.
function forgiveSdk() {
  const judges = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (problem, promise) => {
    if (/realtimekit/.test(problem?.stack)) return;
    for (const judge of judges) judge(problem, promise);
  });
}

/** Asks `check` until it answers something true, and answers that. */
export async function eventually(what, check) {
  const giveUp = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await check();
    if (answer) return answer;
    assert.ok(Date.now() < giveUp, `not within ${PATIENCE_MS / 1000} s: ${what}`);
    await sleep(20);
  }
}

/** The management API, at the app of this run. */
export async function rest(method, path, body) {
  const root = `${server.origin}/client/v4/accounts/${server.account_id}/realtime/kit/${server.app_id}`;
  const answer = await directFetch(root + path, {
    method,
    headers: { authorization: `Bearer ${server.api_token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text).data;
}

/** Makes a preset: `from` with the members of `changes` put in its place, at any depth. */
export async function newPreset(name, from, changes) {
  const presets = await rest('GET', '/presets?per_page=100');
  const { id } = presets.find((preset) => preset.name === from);
  const { config, permissions, ui } = await rest('GET', `/presets/${id}`);
  return rest('POST', '/presets', merged({ config, permissions, ui, name }, changes));
}

function merged(value, changes) {
  const inner = (at) => value?.[at] !== null && typeof value?.[at] === 'object';
  const pairs = Object.entries(changes).map(([at, to]) => [at, inner(at) ? merged(value[at], to) : to]);
  return { ...value, ...Object.fromEntries(pairs) };
}

/** A meeting with nobody in it. */
export class Meeting {
  static async create(fields = {}) {
    const { id } = await rest('POST', '/meetings', { title: 'A test', ...fields });
    return new Meeting(id);
  }

  constructor(id) {
    this.id = id;
    this.path = `/meetings/${id}`;
  }

  /** A participant's record: `{id, token, …}`. */
  add(name, preset = 'group_call_host') {
    return rest('POST', `${this.path}/participants`, {
      name,
      preset_name: preset,
      custom_participant_id: `${name}@example.org`,
    });
  }

  /** Somebody who has signed in and not yet joined. */
  async signIn(name, preset) {
    const record = await this.add(name, preset);
    return signIn(record.token);
  }

  /** Somebody inside. */
  async join(name, preset) {
    const person = await this.signIn(name, preset);
    await person.join();
    assert.equal(person.self.roomState, 'joined');
    return person;
  }

  /** Several people inside, who know of each other. */
  async joinAll(names, preset) {
    const people = await Promise.all(names.map((name) => this.join(name, preset)));
    await Promise.all(people.map((person) => sees(person, people.length - 1)));
    return people;
  }
}

/** The SDK's client for a token. */
export function signIn(authToken, options = {}) {
  return RealtimeKit.init({
    authToken,
    baseURI: server.base_domain,
    defaults: { audio: false, video: false },
    ...options,
  });
}

/** Waits until somebody sees so many others. */
export function sees(person, count) {
  const joined = person.participants.joined;
  return eventually(`${person.self.name} sees ${count} others`, () => joined.size === count);
}

/** Somebody as another one sees them. */
export function seen(by, person) {
  return by.participants.joined.get(person.self.id);
}

/** Listens from now on: answers the list of what `emitter` says under `name`. */
export function heard(emitter, name) {
  const list = [];
  emitter.on(name, (...args) => list.push(args.length > 1 ? args : args[0]));
  return list;
}

/** Waits for the first of a list that `wanted` holds for. */
export function first(list, what, wanted = () => true) {
  return eventually(what, () => list.find(wanted) ?? false);
}
