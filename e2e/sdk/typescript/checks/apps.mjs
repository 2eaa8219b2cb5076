// Apps: create, list, read.

import {
  NO_SUCH_ID,
  allPages,
  equal,
  expect,
  ids,
  isTime,
  pagingIs,
  refused,
} from '../harness.mjs';

export async function createAnswersTheApp(w) {
  const { data } = await w.kit.apps.post({ ...w.account, name: `${w.tag} created` });
  w.apps.push(data.app.id);
  equal(w.lastStatus, 200, 'status');
  equal(data.app.name, `${w.tag} created`, 'name');
  isTime(data.app.created_at, 'created_at');
}

export async function readAnswersTheSameApp(w) {
  const answer = await w.get(w.path('apps', w.appId));
  equal(answer.success, true, 'success');
  equal(answer.data.id, w.appId, 'id');
  equal(answer.data.name, w.tag, 'name');
}

export async function readOfAnUnknownAppIs404(w) {
  await refused(404, () => w.get(w.path('apps', NO_SUCH_ID)));
}

export async function createNeedsAName(w) {
  await refused(400, () => w.post(w.path('apps'), {}));
  await refused(400, () => w.kit.apps.post({ ...w.account, name: '' }));
}

export async function namesNeedNotBeUnique(w) {
  const first = await w.newApp(`${w.tag} twin`);
  const second = await w.newApp(`${w.tag} twin`);
  expect(first !== second, 'two apps have one id');
}

export async function listIsNewestFirst(w) {
  await w.newApp(`${w.tag} newer`);
  const query = { ...w.account, search: w.tag, per_page: 100 };
  const { data: apps } = await w.kit.apps.get(query);
  expect(apps.length >= 2, 'expected at least two apps');
  const created = apps.map((app) => app.created_at);
  equal(created, created.toSorted().reverse(), 'order');
  const { data: oldestFirst } = await w.kit.apps.get({ ...query, sort_order: 'ASC' });
  equal(ids(oldestFirst), ids(apps).reverse(), 'order with ASC');
}

export async function listComesInPages(w) {
  const names = [0, 1, 2].map((number) => `${w.tag} page ${number}`);
  for (const name of names) await w.newApp(name);
  const query = { ...w.account, search: `${w.tag} page`, per_page: 2 };
  const first = await w.kit.apps.get({ ...query, page_no: 1 });
  equal(
    first.data.map((app) => app.name),
    [names[2], names[1]],
    'first page',
  );
  pagingIs(first.paging, 3, 1, 2);
  const second = await w.kit.apps.get({ ...query, page_no: 2 });
  equal(
    second.data.map((app) => app.name),
    [names[0]],
    'second page',
  );
  pagingIs(second.paging, 3, 3, 3);
}

export async function listHoldsEveryAppOfThisRun(w) {
  const rows = await allPages((page) => w.kit.apps.get({ ...w.account, ...page }), 50);
  const found = new Set(ids(rows));
  equal(
    w.apps.filter((id) => !found.has(id)),
    [],
    'missing apps',
  );
}

export async function searchIsAPartOfTheNameInAnyCase(w) {
  const search = w.tag.toUpperCase();
  const { data } = await w.kit.apps.get({ ...w.account, search, per_page: 100 });
  expect(ids(data).includes(w.appId), 'the app was not found');
}

export async function searchWithoutMatchIsEmpty(w) {
  const nothing = await w.kit.apps.get({ ...w.account, search: `${w.tag} no such name` });
  equal(nothing.data, [], 'data');
  pagingIs(nothing.paging, 0, 0, 0);
}

/** The SDK writes null and '' as parameters without a value. */
export async function emptyParametersAreAsGood(w) {
  const query = { ...w.account, search: '', page_no: null, per_page: null };
  const answer = await w.kit.apps.get(query);
  equal(answer.paging.start_offset, 1, 'start_offset');
  expect(answer.data.length > 0, 'no apps');
}

/** An extension: the published API cannot delete an app. */
export async function deleteRemovesAnAppAndAllInIt(w) {
  const name = `${w.tag} deleted`;
  const { id: app_id } = (await w.kit.apps.post({ ...w.account, name })).data.app;
  const { data: meeting } = await w.kit.meetings.create(app_id, w.account);
  await w.delete(w.path('apps', app_id));
  equal(w.lastStatus, 200, 'status');
  await refused(404, () => w.get(w.path('apps', app_id)));
  await refused(404, () => w.kit.meetings.getMeetingByID(meeting.id, { ...w.account, app_id }));
}
