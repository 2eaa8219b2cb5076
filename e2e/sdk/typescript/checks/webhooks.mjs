// Webhooks: create, list, read, change, replace, delete, and the names of all events.

import { NOT_AN_ID, NO_SUCH_ID, equal, expect, ids, isTime, refused } from '../harness.mjs';

const EVENTS = [
  'meeting.started',
  'meeting.ended',
  'meeting.participantJoined',
  'meeting.participantLeft',
  'meeting.chatSynced',
  'recording.statusUpdate',
  'livestreaming.statusUpdate',
  'meeting.transcript',
  'meeting.summary',
];
const HOOK = { url: 'https://example.com/hook', events: ['meeting.started', 'meeting.ended'] };

async function create(w, name, changes = {}) {
  const body = { ...w.account, ...HOOK, name, ...changes };
  return (await w.kit.webhooks.createWebhook(w.appId, body)).data;
}

async function read(w, webhookId) {
  return (await w.kit.webhooks.getWebhookByID(webhookId, w.inApp)).data;
}

async function edit(w, webhookId, fields) {
  return (await w.kit.webhooks.editWebhook(webhookId, { ...w.inApp, ...fields })).data;
}

export async function listOfANewAppIsEmpty(w) {
  const answer = await w.kit.webhooks.getWebhooks(await w.newApp(`${w.tag} hooks`), w.account);
  equal(answer.data, [], 'data');
}

export async function createAndRead(w) {
  const made = await create(w, 'first');
  equal(w.lastStatus, 201, 'status');
  equal([made.name, made.url, made.enabled], ['first', HOOK.url, true], 'name, url, enabled');
  equal(made.events, HOOK.events, 'events');
  isTime(made.created_at, 'created_at');
  isTime(made.updated_at, 'updated_at');
  equal(await read(w, made.id), made, 'read');
}

export async function createDisabledWithAllEvents(w) {
  const made = await create(w, 'quiet', { enabled: false, events: EVENTS });
  equal(made.enabled, false, 'enabled');
  equal(made.events, EVENTS, 'events');
}

export async function listHoldsThem(w) {
  const made = [(await create(w, 'listed 1')).id, (await create(w, 'listed 2')).id];
  const listed = ids((await w.kit.webhooks.getWebhooks(w.appId, w.account)).data);
  equal(
    made.filter((id) => !listed.includes(id)),
    [],
    'missing webhooks',
  );
}

export async function editChangesOnlyWhatIsGiven(w) {
  const made = await create(w, 'to edit');
  const disabled = await edit(w, made.id, { enabled: false });
  equal({ ...disabled, enabled: true, updated_at: made.updated_at }, made, 'all but enabled');
  equal(disabled.enabled, false, 'enabled');
  const edited = await edit(w, made.id, { name: 'edited', events: ['meeting.summary'] });
  equal([edited.name, edited.events], ['edited', ['meeting.summary']], 'name and events');
  equal(await read(w, made.id), edited, 'read');
}

export async function replaceSetsEverything(w) {
  const made = await create(w, 'to replace', { enabled: false });
  const body = { name: 'replaced', url: 'https://example.com/new', events: ['meeting.transcript'] };
  const { data } = await w.kit.webhooks.replaceWebhook(made.id, { ...w.inApp, ...body });
  equal(data.id, made.id, 'id');
  equal({ name: data.name, url: data.url, events: data.events }, body, 'fields');
  equal(data.enabled, true, 'enabled');
  equal(await read(w, made.id), data, 'read');
}

export async function deleteAnswersTheWebhookAndRemovesIt(w) {
  const made = await create(w, 'to delete');
  const { data: gone } = await w.kit.webhooks.deleteWebhook(made.id, w.inApp);
  equal([gone.id, gone.name], [made.id, 'to delete'], 'id and name');
  await refused(404, () => read(w, made.id));
}

export async function namesAreUnique(w) {
  await create(w, 'only one');
  const other = await create(w, 'other');
  await refused(409, () => create(w, 'only one'));
  await refused(409, () => edit(w, other.id, { name: 'only one' }));
  await edit(w, other.id, { name: 'other' });
}

export async function valuesAreChecked(w) {
  const faults = [
    { events: [] },
    { events: ['meeting.paused'] },
    { url: 'example' },
    { url: 'ftp://example.com/hook' },
    { url: undefined },
  ];
  for (const fault of faults) await refused(400, () => create(w, 'invalid', fault));
}

export async function unknownWebhook(w) {
  const kit = w.kit.webhooks;
  const body = { ...w.inApp, ...HOOK, name: 'x' };
  for (const [webhookId, status] of [
    [NO_SUCH_ID, 404],
    [NOT_AN_ID, 400],
  ]) {
    await refused(status, () => read(w, webhookId));
    await refused(status, () => edit(w, webhookId, { enabled: false }));
    await refused(status, () => kit.replaceWebhook(webhookId, body));
    await refused(status, () => kit.deleteWebhook(webhookId, w.inApp));
  }
}

export async function aWebhookOfAnotherAppIs404(w) {
  const made = await create(w, 'private');
  const other = { ...w.account, app_id: await w.newApp(`${w.tag} not mine`) };
  await refused(404, () => w.kit.webhooks.getWebhookByID(made.id, other));
}

export async function allAnswersTheNamesOfTheEvents(w) {
  const answer = await w.get(w.appPath('webhooks', 'all'));
  equal(answer.success, true, 'success');
  equal(answer.data, EVENTS, 'data');
}

export async function noCredentialsSaysUnauthorized(w) {
  const stranger = w.connect({ token: 'no-such-token' });
  const list = () => stranger.realtimeKit.webhooks.getWebhooks(w.appId, w.account);
  const error = await refused(401, list);
  expect(error.error.message === 'Unauthorized', `message: ${error.error.message}`);
}
