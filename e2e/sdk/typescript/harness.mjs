// What every check uses: a client, a fresh app, and ways to say what is expected.

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import Cloudflare from 'cloudflare';

const REQUEST_TIMEOUT_MS = 10_000;

// Well-formed ids that no server has handed out.
export const NO_SUCH_ID = '00000000-0000-4000-8000-000000000000';
export const NOT_AN_ID = 'not-an-id';

/** One run against one server: the client, the app of this run, and what was sent. */
export class World {
  constructor(baseURL, accountId, token) {
    this.baseURL = baseURL;
    this.accountId = accountId;
    this.token = token;
    this.tag = `sdk-typescript-${randomBytes(4).toString('hex')}`;
    this.called = new Set(); // SDK methods, such as "meetings.create"
    this.statuses = []; // of every answer of this run
    this.apps = []; // apps to remove in the end
    this.client = this.connect();
    this.kit = record(this.client.realtimeKit, '', this.called);
    this.account = { account_id: accountId };
  }

  async open() {
    this.appId = await this.newApp(this.tag);
    this.inApp = { ...this.account, app_id: this.appId };
  }

  async close() {
    const problems = [];
    for (const appId of this.apps) {
      await this.delete(this.path('apps', appId), { disconnect: true }).catch((problem) => {
        problems.push(`${appId}: ${problem.message}`);
      });
    }
    expect(problems.length === 0, problems.join('; '));
  }

  /** A client of its own, which does not retry unless told. */
  connect({ token = this.token, maxRetries = 0 } = {}) {
    return new Cloudflare({
      apiToken: token,
      apiEmail: null, // else the SDK takes it from the environment
      apiKey: null,
      userServiceKey: null,
      baseURL: this.baseURL,
      maxRetries,
      timeout: REQUEST_TIMEOUT_MS,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        this.statuses.push(response.status);
        return response;
      },
    });
  }

  get lastStatus() {
    return this.statuses.at(-1);
  }

  path(...segments) {
    return [`/accounts/${this.accountId}/realtime/kit`, ...segments].join('/');
  }

  appPath(...segments) {
    return this.path(this.appId, ...segments);
  }

  async newApp(name) {
    const { data } = await this.kit.apps.post({ ...this.account, name });
    this.apps.push(data.app.id);
    return data.app.id;
  }

  async newMeeting(fields = {}) {
    return (await this.kit.meetings.create(this.appId, { ...this.account, ...fields })).data;
  }

  async newParticipant(meetingId, fields = {}) {
    const body = { custom_participant_id: 'ada', preset_name: 'group_call_host', ...fields };
    return (await this.kit.meetings.addParticipant(meetingId, { ...this.inApp, ...body })).data;
  }

  // For operations and bodies that the SDK has no method for.

  get(path, query) {
    return this.client.get(path, { query });
  }

  post(path, body) {
    return this.client.post(path, { body });
  }

  put(path, body) {
    return this.client.put(path, { body });
  }

  delete(path, query) {
    return this.client.delete(path, { query });
  }
}

// A resource of the SDK holds the client and other resources; its methods are those of its class.

function isResource(value) {
  return value !== null && typeof value === 'object' && '_client' in value;
}

function methodNames(resource) {
  const names = new Set();
  let prototype = Object.getPrototypeOf(resource);
  while (prototype !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (name !== 'constructor') names.add(name);
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return [...names];
}

/** The names of all methods that the SDK offers below a resource. */
export function sdkMethods(resource, prefix = '') {
  const own = methodNames(resource).map((name) => prefix + name);
  const below = Object.entries(resource)
    .filter(([name, value]) => name !== '_client' && isResource(value))
    .flatMap(([name, value]) => sdkMethods(value, `${prefix}${name}.`));
  return [...own, ...below];
}

/** Passes calls on to the SDK and notes which of its methods were called. */
function record(resource, prefix, called) {
  const recorder = {};
  for (const [name, value] of Object.entries(resource)) {
    if (name !== '_client' && isResource(value)) {
      recorder[name] = record(value, `${prefix}${name}.`, called);
    }
  }
  for (const name of methodNames(resource)) {
    recorder[name] = (...args) => {
      called.add(prefix + name);
      return resource[name](...args);
    };
  }
  return recorder;
}

export function expect(condition, what) {
  if (!condition) throw new Error(what);
}

export function equal(actual, expected, what) {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  }
}

/** Every key of `part` stands in `whole` with the same value, at any depth. */
export function contains(part, whole, what) {
  for (const [key, value] of Object.entries(part)) {
    const where = `${what}.${key}`;
    expect(key in whole, `${where} is missing`);
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
    if (isObject) {
      expect(whole[key] !== null && typeof whole[key] === 'object', `${where}: not an object`);
      contains(value, whole[key], where);
    } else {
      equal(whole[key], value, where);
    }
  }
}

export function pagingIs(paging, total, start, end) {
  const got = [paging?.total_count, paging?.start_offset, paging?.end_offset];
  equal(got, [total, start, end], 'paging (total, start, end)');
}

export function isTime(text, what) {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
  expect(typeof text === 'string' && shape.test(text), `${what} is ${show(text)}`);
}

/** The call is answered with this status (or one of these) and a body all clients can read. */
export async function refused(status, call, says) {
  const allowed = [status].flat();
  let error;
  try {
    await call();
  } catch (caught) {
    error = caught;
  }
  if (error === undefined) throw new Error(`expected status ${status}, but the call succeeded`);
  if (!(error instanceof Cloudflare.APIError) || error.status === undefined) throw error;
  expect(
    allowed.includes(error.status),
    `expected status ${status}, got ${error.status}: ${show(error.error)}`,
  );
  checkErrorBody(error);
  if (says !== undefined) {
    const { message } = error.error.error;
    expect(message.includes(says), `expected a message with ${show(says)}, got ${show(message)}`);
  }
  return error;
}

function checkErrorBody(error) {
  const body = error.error;
  equal(body?.success, false, 'success');
  equal(body.error?.code, error.status, 'error.code');
  expect(typeof body.error.message === 'string' && body.error.message, 'error.message is empty');
  expect(error.errors.length > 0, `no errors in ${show(body)}`);
  expect(Number.isInteger(error.errors[0].code), `errors[0].code is ${show(error.errors[0].code)}`);
  expect(error.errors[0].message, 'errors[0].message is empty');
  equal(body.messages, [], 'messages');
}

/** Every row of a list, page by page. The SDK has no pager of its own for these lists. */
export async function allPages(fetchPage, perPage) {
  const rows = [];
  for (let pageNo = 1; ; pageNo += 1) {
    const page = await fetchPage({ page_no: pageNo, per_page: perPage });
    rows.push(...page.data);
    if (page.paging.end_offset >= page.paging.total_count) return rows;
    expect(page.data.length > 0, `page ${pageNo} is empty before the end`);
  }
}

export function ids(rows) {
  return rows.map((row) => row.id);
}

function show(value) {
  return JSON.stringify(value);
}
