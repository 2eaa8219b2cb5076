// What every test uses: meetings with their records, people in a browser each, and ways to wait.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

/** How long anything that should happen may take. */
export const PATIENCE_MS = 40_000;
/** How long a test may take. */
const TEST_MS = 150_000;
/** How many frames are a moving picture: half a second of it. */
const MOVING_FRAMES = 12;
const POLL_MS = 50;

const about = JSON.parse(process.env.MUSTER_BROWSER_TEST ?? fail());
let browser;

function fail() {
  throw new Error('MUSTER_BROWSER_TEST is not set: run this by drive.mjs');
}

/** The tests of a file, one after the other. Everybody is gone after each. */
export function suite(name, body) {
  describe(name, { concurrency: false }, () => {
    before(async () => {
      browser = await chromium.connect(about.browser);
    });
    after(() => browser.close());
    body();
  });
}

/** A test with a meeting of its own, which may take so long. */
export function meet(test, name, body, timeout = TEST_MS) {
  test(name, { timeout }, async () => {
    const people = [];
    try {
      await body(await Meeting.create(people));
    } catch (problem) {
      for (const person of people) console.log(await person.account());
      throw problem;
    } finally {
      await Promise.all(people.map((person) => person.vanish()));
    }
  });
}

/** The management API, at the app of this run. */
export async function rest(method, path, body) {
  const answer = await fetch(about.api + path, {
    method,
    headers: { authorization: `Bearer ${about.apiToken}`, 'content-type': 'application/json' },
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

let small;

/** The preset of who has none: a host whose picture is small, so that one machine can encode for several people. */
function smallHost() {
  const name = `small_${process.pid}`;
  small ??= newPreset(name, 'group_call_host', {
    config: { media: { video: { quality: 'qvga', frame_rate: 15 } } },
  }).then(() => name);
  return small;
}

function merged(value, changes) {
  const inner = (at) => value?.[at] !== null && typeof value?.[at] === 'object';
  const pairs = Object.entries(changes).map(([at, to]) => [at, inner(at) ? merged(value[at], to) : to]);
  return { ...value, ...Object.fromEntries(pairs) };
}

class Meeting {
  static async create(people) {
    const { id } = await rest('POST', '/meetings', { title: 'A test' });
    return new Meeting(id, people);
  }

  constructor(id, people) {
    Object.assign(this, { id, people });
  }

  /** Somebody who has signed in and not yet joined. */
  async signIn(name, { preset, audio = true, video = true, kit = false, codec, layers, network } = {}) {
    const record = await rest('POST', `/meetings/${this.id}/participants`, {
      name,
      preset_name: preset ?? (await smallHost()),
      custom_participant_id: `${name}@example.org`,
    });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const person = new Person(name, context, await context.newPage());
    this.people.push(person);
    if (network) await person.goesBy(network);
    const overrides = layers && { simulcastConfig: { encodings: layers } };
    await person.signIn({ authToken: record.token, baseURI: about.baseDomain, defaults: { audio, video }, overrides }, kit, codec);
    return person;
  }

  /** Somebody inside. */
  async join(name, options) {
    const person = await this.signIn(name, options);
    await person.join();
    return person;
  }

  /** People inside, each of whom sees and hears all others. */
  async joinAll(...names) {
    const people = [];
    for (const name of names) people.push(await this.join(name));
    await everybodyMeets(people);
    return people;
  }
}

/** Each sees and hears each other. */
export async function everybodyMeets(people) {
  const pairs = people.flatMap((a) => people.filter((b) => b !== a).map((b) => [a, b]));
  await Promise.all(pairs.flatMap(([a, b]) => [a.sees(b), a.hears(b)]));
}

/** Somebody with a page. */
class Person {
  #said = [];

  constructor(name, context, page) {
    Object.assign(this, { name, context, page });
    page.on('console', (message) => {
      if (message.type() === 'error') this.#said.push(message.text());
    });
    page.on('pageerror', (error) => this.#said.push(String(error)));
  }

  async signIn(options, kit = false, codec = undefined) {
    await this.page.goto(about.page);
    this.options = options;
    Object.assign(this, await this.page.evaluate((given) => window.test.signIn(...given), [options, kit, codec]));
  }

  /** Joins; answers how many milliseconds it took. */
  join() {
    return this.page.evaluate(() => window.test.join());
  }

  /** Runs a function in the page, where `meeting` is the SDK's client. */
  does(work, argument) {
    return this.page.evaluate(work, argument);
  }

  /**
   * Asks a function in the page, which may be asynchronous, until it answers something true, and answers that.
   * (Playwright's `waitForFunction` takes the promise of `false` for true.)
   */
  async until(what, check, argument, patience = PATIENCE_MS) {
    const giveUp = performance.now() + patience;
    for (;;) {
      const answer = await this.page.evaluate(check, argument);
      if (answer) return answer;
      if (performance.now() > giveUp) throw new Error(`${this.name}: not within ${patience / 1000} s: ${what}`);
      await sleep(POLL_MS);
    }
  }

  /** What has come of somebody's `audio`, `video` or `screen`; null while there is none. */
  received(other, what) {
    return this.page.evaluate(([id, kind]) => window.test.received(id, kind), [other.id, what]);
  }

  /** Watches somebody's picture from now on, for `longestGap`. */
  watches(other) {
    return this.page.evaluate((id) => window.test.watchGaps(id), other.id);
  }

  /** The longest time between two frames of it since then, in milliseconds. */
  longestGap(other) {
    return this.page.evaluate((id) => window.test.longestGap([id]), other.id);
  }

  /** Waits until `count` of what comes grows by so much from now on. */
  async #grows(other, what, count, by, patience) {
    const from = await this.received(other, what);
    return this.until(
      `${count} of ${other.name}'s ${what} grows`,
      async ([id, kind, name, past, more]) => {
        const now = await window.test.received(id, kind);
        if (!now) return false;
        const begun = past?.track === now.track ? past[name] ?? 0 : 0;
        return now[name] - begun >= more && now;
      },
      [other.id, what, count, from, by],
      patience,
    );
  }

  /** A moving picture comes. */
  sees(other, what = 'video', patience) {
    return this.#grows(other, what, 'frames', MOVING_FRAMES, patience);
  }

  /** Sound comes, not silence: the device beeps once a second. */
  async hears(other, patience) {
    await this.#grows(other, 'audio', 'bytes', 2000, patience);
    return this.#grows(other, 'audio', 'energy', 1e-6, patience);
  }

  /** Nothing of it comes any more: a second passes without. */
  receivesNothing(other, what) {
    return this.until(
      `nothing comes of ${other.name}'s ${what}`,
      async ([id, kind]) => {
        const before = await window.test.received(id, kind);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const after = await window.test.received(id, kind);
        return !after || (before?.track === after.track && before.bytes === after.bytes);
      },
      [other.id, what],
    );
  }

  /** Has all media pass a network, which ends with the person. */
  async goesBy(network) {
    this.network = network;
    await this.page.exposeFunction('relayPort', (port) => network.port(port));
  }

  /** Leaves without a word. */
  async vanish() {
    await this.context.close();
    this.network?.close();
  }

  /** What there is to know when a test failed. */
  async account() {
    const state = await this.page
      .evaluate(async () => ({
        room: window.meeting?.self.roomState,
        connections: window.test.connections().map((c) => `${c.connectionState}/${c.iceConnectionState}/${c.signalingState}`),
        others: await Promise.all(
          (window.meeting?.participants.joined.toArray() ?? []).map(async ({ id, name }) => ({
            name,
            audio: await window.test.received(id, 'audio'),
            video: await window.test.received(id, 'video'),
          })),
        ),
        sent: await window.test.sent(),
      }))
      .catch((problem) => String(problem));
    return `${this.name}: ${JSON.stringify(state)}\n  ${this.#said.slice(-15).join('\n  ')}`;
  }
}
