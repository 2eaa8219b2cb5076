// Who may call, what is answered to those who may not, and how long the SDK keeps trying.

import { NO_SUCH_ID, equal, refused } from '../harness.mjs';
import { preset } from '../samples.mjs';

const NO_CREDENTIALS = { headers: { Authorization: null } };

export async function noCredentialsIs401(w) {
  await refused(401, () => w.kit.apps.get(w.account, NO_CREDENTIALS));
}

export async function unknownTokenIs401(w) {
  const stranger = w.connect({ token: 'no-such-token' });
  const error = await refused(401, () => stranger.realtimeKit.apps.get(w.account));
  equal(error.errors[0].code, 10000, 'errors[0].code');
  equal(error.error.result, null, 'result');
}

export async function unreadableAuthorizationIs400(w) {
  const headers = { Authorization: 'gibberish' };
  const error = await refused(400, () => w.kit.apps.get(w.account, { headers }));
  equal(error.errors[0].code, 6003, 'errors[0].code');
}

export async function anotherAccountIsClosed(w) {
  await refused([403, 404], () => w.kit.apps.get({ account_id: 'f'.repeat(32) }));
}

export async function credentialsAreJudgedBeforeExistence(w) {
  await refused(401, () => w.kit.meetings.get(NO_SUCH_ID, w.account, NO_CREDENTIALS));
}

export async function unknownAppIs404(w) {
  await refused(404, () => w.kit.meetings.get(NO_SUCH_ID, w.account));
}

export async function unknownRouteIs404(w) {
  await refused(404, () => w.get(w.appPath('nonsense')));
}

export async function wrongMethodIs405(w) {
  await refused(405, () => w.put(w.path('apps'), { name: 'x' }));
}

export async function anEmailBesideTheTokenDoesNoHarm(w) {
  const headers = { 'X-Auth-Email': 'ada@example.com' };
  equal((await w.kit.apps.get(w.account, { headers })).success, true, 'success');
}

export async function unknownQueryParametersAreIgnored(w) {
  equal((await w.kit.apps.get({ ...w.account, surprise: '1' })).success, true, 'success');
}

/** The SDK repeats a 409 twice unless the answer says `x-should-retry: false`. */
export async function aConflictIsFinal(w) {
  const patient = w.connect({ maxRetries: 2 });
  const before = w.statuses.length;
  const body = { ...w.account, ...preset('group_call_host') };
  await refused(409, () => patient.realtimeKit.presets.create(w.appId, body));
  equal(w.statuses.length - before, 1, 'requests');
}

/** The same for an operation whose engine does not exist yet. */
export async function notImplementedIsFinal(w) {
  const patient = w.connect({ maxRetries: 2 });
  const before = w.statuses.length;
  await refused(501, () => patient.post(w.appPath('livestreams'), { body: { name: 'launch' } }));
  equal(w.statuses.length - before, 1, 'requests');
}
