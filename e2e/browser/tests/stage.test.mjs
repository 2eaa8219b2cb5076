import { test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';

const becomes = (person, status) =>
  person.until(`${person.name} is ${status}`, (wanted) => meeting.stage.status === wanted, status);

suite('the stage of a webinar', () => {
  meet(test, 'a viewer is seen and heard on stage, and only there', async (meeting) => {
    const ada = await meeting.join('Ada', { preset: 'webinar_presenter' });
    await ada.does(() => meeting.stage.status === 'ON_STAGE' || meeting.stage.join());
    await becomes(ada, 'ON_STAGE');
    const vic = await meeting.join('Vic', { preset: 'webinar_viewer' });
    await Promise.all([vic.sees(ada), vic.hears(ada)]);
    await ada.receivesNothing(vic, 'video');
    await ada.receivesNothing(vic, 'audio');

    await vic.does(() => meeting.stage.requestAccess());
    await ada.until('Vic asks', () => meeting.stage.getAccessRequests().stageRequests.length === 1);
    await ada.does((userId) => meeting.stage.grantAccess([userId]), vic.userId);
    await becomes(vic, 'ACCEPTED_TO_JOIN_STAGE');
    await vic.does(() => meeting.stage.join());
    await becomes(vic, 'ON_STAGE');
    await vic.does(async () => {
      await meeting.self.enableAudio();
      await meeting.self.enableVideo();
    });
    await everybodyMeets([ada, vic]);

    await vic.does(() => meeting.stage.leave());
    await becomes(vic, 'OFF_STAGE');
    await ada.receivesNothing(vic, 'video');
    await ada.receivesNothing(vic, 'audio');
    await Promise.all([vic.sees(ada), vic.hears(ada)]);
  });
});
