// Counts by day. Nothing has happened in this app.

import { equal, expect, refused } from '../harness.mjs';

const DAY = 24 * 60 * 60;
const NOTHING = {
  session_stats: { sessions_count: 0, sessions_minutes_consumed: 0, day_stats: [] },
  recording_stats: { recording_count: 0, recording_minutes_consumed: 0, day_stats: [] },
};

function now() {
  return Math.floor(Date.now() / 1000);
}

export async function byDayIsEmpty(w) {
  equal((await w.kit.analytics.getOrgAnalytics(w.appId, w.account)).data, NOTHING, 'data');
  equal((await w.kit.livestreams.getOrgAnalytics(w.appId, w.account)).data, NOTHING, 'data');
}

export async function byDayTakesARange(w) {
  const query = { ...w.account, start_date: '2026-01-01', end_date: '2026-01-31' };
  equal((await w.kit.analytics.getOrgAnalytics(w.appId, query)).data, NOTHING, 'data');
}

export async function byDayRefusesImpossibleRanges(w) {
  const ranges = [
    { start_date: '2026-02-01', end_date: '2026-01-01' },
    { start_date: 'yesterday' },
  ];
  for (const range of ranges) {
    const query = { ...w.account, ...range };
    await refused(400, () => w.kit.analytics.getOrgAnalytics(w.appId, query));
  }
}

export async function livestreamsByDayAreZero(w) {
  const query = { ...w.account, start_time: now() - 7 * DAY, end_time: now() };
  const { data } = await w.kit.livestreams.getLivestreamAnalyticsDaywise(w.appId, query);
  expect(Array.isArray(data), 'data is not a list');
  for (const day of data) {
    const counts = [day.count, day.total_ingest_seconds, day.total_viewer_seconds];
    equal(counts, [0, 0, 0], `counts of ${day.date}`);
  }
}

export async function livestreamsOverallAreZero(w) {
  const answer = await w.kit.livestreams.getLivestreamAnalyticsComplete(w.appId, w.account);
  const { count, total_ingest_seconds, total_viewer_seconds } = answer.data;
  equal([count, total_ingest_seconds, total_viewer_seconds], [0, 0, 0], 'counts');
}

export async function livestreamsRefuseImpossibleRanges(w) {
  const kit = w.kit.livestreams;
  const query = { ...w.account, start_time: now(), end_time: now() - DAY };
  await refused(400, () => kit.getLivestreamAnalyticsComplete(w.appId, query));
  await refused(400, () => kit.getLivestreamAnalyticsDaywise(w.appId, query));
}
