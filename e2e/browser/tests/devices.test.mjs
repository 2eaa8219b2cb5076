import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meet, suite } from '../harness.mjs';

/** Waits until somebody's device is on or off as another one sees it: `audioEnabled` and the like. */
const shows = (person, other, flag, value) =>
  person.until(`${other.name}'s ${flag} is ${value}`, ([id, name, wanted]) => meeting.participants.joined.get(id)?.[name] === wanted, [
    other.id,
    flag,
    value,
  ]);

suite('devices', () => {
  meet(test, 'a camera goes off and on again', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    for (let round = 0; round < 3; round += 1) {
      await ada.does(() => meeting.self.disableVideo());
      await shows(ben, ada, 'videoEnabled', false);
      await ben.receivesNothing(ada, 'video');
      await Promise.all([ben.hears(ada), ada.sees(ben)]);
      await ada.does(() => meeting.self.enableVideo());
      await shows(ben, ada, 'videoEnabled', true);
      await Promise.all([ben.sees(ada), ada.sees(ben)]);
    }
  });

  meet(test, 'a microphone goes off and on again', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    for (let round = 0; round < 3; round += 1) {
      await ada.does(() => meeting.self.disableAudio());
      await shows(ben, ada, 'audioEnabled', false);
      await ben.receivesNothing(ada, 'audio');
      await Promise.all([ben.sees(ada), ada.hears(ben)]);
      await ada.does(() => meeting.self.enableAudio());
      await shows(ben, ada, 'audioEnabled', true);
      await Promise.all([ben.hears(ada), ada.hears(ben)]);
    }
  });

  meet(test, 'who comes with everything off is seen and heard later', async (meeting) => {
    const ada = await meeting.join('Ada', { audio: false, video: false });
    const ben = await meeting.join('Ben');
    await Promise.all([ada.sees(ben), ada.hears(ben)]);
    assert.equal(await ben.received(ada, 'video'), null);
    await ada.does(() => meeting.self.enableAudio());
    await ben.hears(ada);
    await ada.does(() => meeting.self.enableVideo());
    await ben.sees(ada);
  });

  meet(test, 'a screen is shared beside the camera, and no more', async (meeting) => {
    const [ada, ben] = await meeting.joinAll('Ada', 'Ben');
    for (let round = 0; round < 2; round += 1) {
      await ada.does(() => meeting.self.enableScreenShare());
      await shows(ben, ada, 'screenShareEnabled', true);
      await Promise.all([ben.sees(ada, 'screen'), ben.sees(ada), ben.hears(ada), ada.sees(ben)]);
      await ada.does(() => meeting.self.disableScreenShare());
      await shows(ben, ada, 'screenShareEnabled', false);
      await ben.receivesNothing(ada, 'screen');
      await Promise.all([ben.sees(ada), ben.hears(ada)]);
    }
  });
});
