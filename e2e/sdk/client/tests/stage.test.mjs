import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, first, heard, seen, sees, suite } from '../harness.mjs';
import { cutSocket } from '../network.mjs';

/** A presenter and a viewer in a webinar. */
async function webinar() {
  const meeting = await Meeting.create();
  const [host, viewer] = await Promise.all([
    meeting.join('Ada', 'webinar_presenter'),
    meeting.join('Vic', 'webinar_viewer'),
  ]);
  await Promise.all([sees(host, 1), sees(viewer, 1)]);
  return { meeting, host, viewer };
}

const becomes = (person, status) =>
  eventually(`${person.self.name} is ${status}`, () => person.stage.status === status);

const isSeen = (by, person, status) =>
  eventually(`${by.self.name} sees ${status}`, () => seen(by, person)?.stageStatus === status);

/** Brings a viewer on stage. */
async function bringUp(host, viewer) {
  await viewer.stage.requestAccess();
  await isSeen(host, viewer, 'REQUESTED_TO_JOIN_STAGE');
  await host.stage.grantAccess([viewer.self.userId]);
  await becomes(viewer, 'ACCEPTED_TO_JOIN_STAGE');
  await viewer.stage.join();
  await isSeen(host, viewer, 'ON_STAGE');
}

suite('the stage of a webinar', () => {
  test('viewers begin off stage, presenters may go up', async () => {
    const { host, viewer } = await webinar();
    assert.equal(viewer.meta.viewType, 'WEBINAR');
    assert.equal(viewer.self.permissions.stageEnabled, true);
    assert.equal(viewer.stage.status, 'OFF_STAGE');
    assert.equal(viewer.self.permissions.canProduceAudio, 'CAN_REQUEST');
    assert.equal(seen(host, viewer).stageStatus, 'OFF_STAGE');
    if (host.stage.status !== 'ON_STAGE') await host.stage.join();
    await becomes(host, 'ON_STAGE');
    await isSeen(viewer, host, 'ON_STAGE');
    assert.equal(host.self.permissions.canProduceAudio, 'ALLOWED');
  });

  test('a viewer asks, is granted and goes up', async () => {
    const { host, viewer } = await webinar();
    const requests = heard(host.stage, 'newStageRequest');
    const granted = heard(viewer.stage, 'stageRequestApproved');
    const statuses = heard(viewer.stage, 'stageStatusUpdate');
    await viewer.stage.requestAccess();
    assert.equal(viewer.stage.status, 'REQUESTED_TO_JOIN_STAGE');
    assert.deepEqual(await first(requests, 'Ada is asked'), { count: 1 });
    assert.deepEqual(host.stage.getAccessRequests().stageRequests, [
      { displayName: 'Vic', userId: viewer.self.userId, peerId: viewer.self.id },
    ]);
    await host.stage.grantAccess([viewer.self.userId]);
    await eventually('Vic is granted', () => granted.length === 1);
    assert.equal(viewer.stage.status, 'ACCEPTED_TO_JOIN_STAGE');
    await viewer.stage.join();
    await becomes(viewer, 'ON_STAGE');
    await isSeen(host, viewer, 'ON_STAGE');
    assert.equal(viewer.self.permissions.canProduceAudio, 'ALLOWED');
    assert.deepEqual(host.stage.getAccessRequests().stageRequests, []);
    assert.equal(statuses.at(-1), 'ON_STAGE');
  });

  test('a request is denied', async () => {
    const { host, viewer } = await webinar();
    const rejected = heard(viewer.stage, 'stageRequestRejected');
    await viewer.stage.requestAccess();
    await isSeen(host, viewer, 'REQUESTED_TO_JOIN_STAGE');
    await host.stage.denyAccess([viewer.self.userId]);
    await eventually('Vic is told', () => rejected.length === 1);
    assert.equal(viewer.stage.status, 'OFF_STAGE');
    await isSeen(host, viewer, 'OFF_STAGE');
    await assert.rejects(viewer.stage.join(), { code: '2006' });
  });

  test('a request is taken back', async () => {
    const { host, viewer } = await webinar();
    await viewer.stage.requestAccess();
    await isSeen(host, viewer, 'REQUESTED_TO_JOIN_STAGE');
    await viewer.stage.cancelRequestAccess();
    await isSeen(host, viewer, 'OFF_STAGE');
    assert.deepEqual(host.stage.getAccessRequests().stageRequests, []);
    assert.equal(viewer.stage.status, 'OFF_STAGE');
  });

  test('who is up goes down again', async () => {
    const { host, viewer } = await webinar();
    await bringUp(host, viewer);
    await viewer.stage.leave();
    await isSeen(host, viewer, 'OFF_STAGE');
    assert.equal(viewer.stage.status, 'OFF_STAGE');
    assert.equal(viewer.self.permissions.canProduceAudio, 'CAN_REQUEST');
  });

  test('a host takes somebody down', async () => {
    const { host, viewer } = await webinar();
    await bringUp(host, viewer);
    await host.stage.kick([viewer.self.userId]);
    await becomes(viewer, 'OFF_STAGE');
    await isSeen(host, viewer, 'OFF_STAGE');
    assert.equal(viewer.self.roomState, 'joined');
  });

  test('a viewer cannot grant', async () => {
    const { viewer } = await webinar();
    assert.throws(() => viewer.stage.grantAccess([viewer.self.userId]), { code: '2001' });
    assert.throws(() => viewer.stage.getAccessRequests(), { code: '2001' });
  });

  test('who is up is up after a lost socket', async () => {
    const { host, viewer } = await webinar();
    await bringUp(host, viewer);
    const joined = heard(viewer.self, 'roomJoined');
    cutSocket(viewer.self.id);
    await first(joined, 'Vic is back');
    await becomes(viewer, 'ON_STAGE');
    assert.equal(seen(host, viewer).stageStatus, 'ON_STAGE');
  });
});
