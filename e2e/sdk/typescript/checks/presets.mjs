// Presets: the seven that every app has, and create, read, change, replace, delete.

import { NO_SUCH_ID, allPages, contains, equal, isTime, pagingIs, refused } from '../harness.mjs';
import { preset } from '../samples.mjs';

// Who may produce audio, video and screenshare; who is a host; who may go on stage.
const ALLOWED = ['ALLOWED', 'ALLOWED', 'ALLOWED'];
const SEEDED = {
  group_call_host: { view: 'GROUP_CALL', produce: ALLOWED, host: true, waiting: 'SKIP' },
  group_call_participant: { view: 'GROUP_CALL', produce: ALLOWED, host: false, waiting: 'SKIP' },
  group_call_guest: {
    view: 'GROUP_CALL',
    produce: ['ALLOWED', 'ALLOWED', 'NOT_ALLOWED'],
    host: false,
    waiting: 'SKIP_ON_ACCEPT',
  },
  webinar_presenter: {
    view: 'WEBINAR',
    produce: ALLOWED,
    host: true,
    stage: 'ALLOWED',
    waiting: 'SKIP',
  },
  webinar_viewer: {
    view: 'WEBINAR',
    produce: ['CAN_REQUEST', 'CAN_REQUEST', 'CAN_REQUEST'],
    host: false,
    stage: 'CAN_REQUEST',
    waiting: 'SKIP',
  },
  livestream_host: {
    view: 'LIVESTREAM',
    produce: ALLOWED,
    host: true,
    stage: 'ALLOWED',
    waiting: 'SKIP',
  },
  livestream_viewer: {
    view: 'LIVESTREAM',
    produce: ['NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED'],
    host: false,
    stage: 'CAN_REQUEST',
    waiting: 'SKIP',
  },
};
const HOST_POWERS = [
  'kick_participant',
  'pin_participant',
  'disable_participant_audio',
  'disable_participant_video',
  'disable_participant_screensharing',
  'can_spotlight',
  'accept_waiting_requests',
  'can_change_participant_permissions',
  'can_record',
  'can_livestream',
];

const NAMES = Object.keys(SEEDED).sort();

async function create(w, name) {
  return (await w.kit.presets.create(w.appId, { ...w.account, ...preset(name) })).data;
}

async function read(w, presetId) {
  return (await w.kit.presets.getPresetByID(presetId, w.inApp)).data;
}

function namesOf(rows) {
  return rows.map((row) => row.name).sort();
}

export async function aNewAppHasSevenPresets(w) {
  const appId = await w.newApp(`${w.tag} presets`);
  const answer = await w.kit.presets.get(appId, w.account);
  equal(namesOf(answer.data), NAMES, 'names');
  pagingIs(answer.paging, 7, 1, 7);
  for (const row of answer.data) {
    isTime(row.created_at, `${row.name} created_at`);
    isTime(row.updated_at, `${row.name} updated_at`);
  }
}

export async function seededPresetsGrantWhatTheirRoleSays(w) {
  const rows = (await w.kit.presets.get(w.appId, { ...w.account, per_page: 100 })).data;
  for (const [name, expected] of Object.entries(SEEDED)) {
    const found = await read(w, rows.find((row) => row.name === name).id);
    const may = found.permissions;
    const { audio, video, screenshare } = may.media;
    const produce = [audio, video, screenshare].map((kind) => kind.can_produce);
    equal(found.config.view_type, expected.view, `${name} view_type`);
    equal(produce, expected.produce, `${name} can_produce`);
    for (const power of HOST_POWERS) equal(may[power], expected.host, `${name} ${power}`);
    equal(may.polls.can_create, expected.host, `${name} polls.can_create`);
    equal(may.waiting_room_type, expected.waiting, `${name} waiting_room_type`);
    equal(Boolean(may.stage_enabled), 'stage' in expected, `${name} stage_enabled`);
    if ('stage' in expected) {
      equal(may.stage_access, expected.stage, `${name} stage_access`);
      equal(may.can_accept_production_requests, expected.host, `${name} stage requests`);
    }
  }
}

export async function createKeepsEveryField(w) {
  const made = await create(w, 'complete');
  equal(w.lastStatus, 201, 'status');
  contains(preset('complete'), made, 'preset');
  contains(preset('complete'), await read(w, made.id), 'read');
}

export async function createFillsWhatIsLeftOut(w) {
  const { data } = await w.post(w.appPath('presets'), { name: 'sparse' });
  equal(w.lastStatus, 201, 'status');
  equal(data.config.view_type, 'GROUP_CALL', 'view_type');
  equal(data.permissions.waiting_room_type, 'SKIP', 'waiting_room_type');
  equal(data.permissions.kick_participant, false, 'kick_participant');
  equal(data.permissions.plugins.config, {}, 'plugins.config');
  equal(data.ui.design_tokens.colors.danger, '#FF2D2D', 'danger');
}

export async function createNeedsAName(w) {
  const { name, ...nameless } = preset('x');
  await refused(400, () => w.post(w.appPath('presets'), nameless));
}

export async function namesAreUnique(w) {
  await create(w, 'only one');
  await refused(409, () => create(w, 'only one'));
}

export async function valuesAreChecked(w) {
  const faults = [
    (body) => (body.config.view_type = 'THEATRE'),
    (body) => (body.permissions.kick_participant = 'yes'),
    (body) => (body.permissions.waiting_room_type = 'SOMETIMES'),
    (body) => (body.config.media.video.frame_rate = 31),
  ];
  for (const spoil of faults) {
    const body = preset('invalid');
    spoil(body);
    await refused(400, () => w.kit.presets.create(w.appId, { ...w.account, ...body }));
  }
}

export async function updateChangesOnlyWhatIsGiven(w) {
  const made = await create(w, 'to update');
  const { data: changed } = await w.kit.presets.update(made.id, {
    ...w.inApp,
    permissions: { kick_participant: false, polls: { can_vote: true } },
    ui: { design_tokens: { theme: 'darkest' } },
  });
  const expected = preset('to update');
  expected.permissions.kick_participant = false;
  expected.permissions.polls.can_vote = true;
  expected.ui.design_tokens.theme = 'darkest';
  equal(changed.id, made.id, 'id');
  contains(expected, changed, 'preset');
  contains(expected, await read(w, made.id), 'read');
}

export async function updateCanRename(w) {
  const made = await create(w, 'old name');
  const { data } = await w.kit.presets.update(made.id, { ...w.inApp, name: 'new name' });
  equal(data.name, 'new name', 'name');
  const taken = { ...w.inApp, name: 'group_call_host' };
  await refused(409, () => w.kit.presets.update(made.id, taken));
}

export async function replaceSetsEverything(w) {
  const made = await create(w, 'to replace');
  const body = preset('replaced');
  body.config.view_type = 'AUDIO_ROOM';
  body.permissions.plugins.config = {};
  const { data } = await w.kit.presets.replacePresetByID(made.id, { ...w.inApp, ...body });
  equal(data.id, made.id, 'id');
  contains(body, data, 'preset');
  equal(data.permissions.plugins.config, {}, 'plugins.config');
}

export async function deleteAnswersThePresetAndRemovesIt(w) {
  const made = await create(w, 'to delete');
  const { data: gone } = await w.kit.presets.delete(made.id, w.inApp);
  equal([gone.id, gone.name], [made.id, 'to delete'], 'id and name');
  await refused(404, () => read(w, made.id));
}

export async function aPresetInUseStays(w) {
  const made = await create(w, 'in use');
  const meeting = await w.newMeeting();
  await w.newParticipant(meeting.id, { preset_name: 'in use' });
  await refused(409, () => w.kit.presets.delete(made.id, w.inApp), '1');
  equal((await read(w, made.id)).name, 'in use', 'name');
}

export async function listComesInPages(w) {
  const appId = await w.newApp(`${w.tag} preset pages`);
  const page = (query) => w.kit.presets.get(appId, { ...w.account, ...query });
  equal(namesOf(await allPages(page, 3)), NAMES, 'names over all pages');
  pagingIs((await page({ page_no: 3, per_page: 3 })).paging, 7, 7, 7);
}

export async function searchByName(w) {
  const { data } = await w.kit.presets.get(w.appId, { ...w.account, search: 'WEBINAR_' });
  equal(namesOf(data), ['webinar_presenter', 'webinar_viewer'], 'names');
}

export async function unknownPresetIs404(w) {
  const kit = w.kit.presets;
  await refused(404, () => kit.getPresetByID(NO_SUCH_ID, w.inApp));
  await refused(404, () => kit.update(NO_SUCH_ID, { ...w.inApp, name: 'x' }));
  await refused(404, () => kit.replacePresetByID(NO_SUCH_ID, { ...w.inApp, ...preset('x') }));
  await refused(404, () => kit.delete(NO_SUCH_ID, w.inApp));
}

export async function aPresetOfAnotherAppIs404(w) {
  const made = await create(w, 'private');
  const other = { ...w.account, app_id: await w.newApp(`${w.tag} other`) };
  await refused(404, () => w.kit.presets.getPresetByID(made.id, other));
}
