import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everybodyMeets, meet, suite } from '../harness.mjs';

/** How many frames an element has to be given to show a moving picture. */
const MOVING_FRAMES = 12;

/** Joins through the kit's first screen, under a name. */
async function joinByKit(meeting, name, options) {
  const person = await meeting.signIn(`${name} of the record`, { ...options, kit: true });
  const setup = person.page.locator('rtk-setup-screen');
  await setup.locator('input').fill(name);
  await setup.locator('rtk-button', { hasText: 'Join' }).click();
  await person.until('the room', () => meeting.self.roomJoined);
  return person;
}

/** The kit shows a moving picture of somebody: the element in the tile is seen and gets frames. */
async function shows(person, other, element = 'rtk-participant-tile') {
  const before = await person.does((name) => window.test.tiles(name), element);
  await person.until(
    `the kit shows ${other.name} in ${element}`,
    ([name, id, from]) => {
      const tile = window.test.tiles(name)[id];
      return tile?.visible && tile.frames >= from;
    },
    [element, other.id, (before[other.id]?.frames ?? 0) + MOVING_FRAMES],
  );
}

const press = (person, button) => person.page.locator(`rtk-controlbar ${button}`).click();

suite('the UI kit', () => {
  meet(test, 'two people meet, switch devices and leave by its buttons', async (meeting) => {
    const ada = await joinByKit(meeting, 'Ada');
    const ben = await joinByKit(meeting, 'Ben');
    await everybodyMeets([ada, ben]);
    await Promise.all([shows(ada, ben), shows(ben, ada), shows(ada, ada)]);
    assert.equal(await ada.does((id) => meeting.participants.joined.get(id).name, ben.id), 'Ben');

    await press(ada, 'rtk-mic-toggle');
    await ben.receivesNothing(ada, 'audio');
    await press(ada, 'rtk-camera-toggle');
    await ben.receivesNothing(ada, 'video');
    await Promise.all([ada.sees(ben), ada.hears(ben)]);
    await press(ada, 'rtk-mic-toggle');
    await press(ada, 'rtk-camera-toggle');
    await Promise.all([ben.hears(ada), ben.sees(ada), shows(ben, ada)]);

    await press(ada, 'rtk-screen-share-toggle');
    await Promise.all([ben.sees(ada, 'screen'), ben.sees(ada), shows(ben, ada, 'rtk-screenshare-view')]);
    await press(ada, 'rtk-screen-share-toggle');
    await ben.receivesNothing(ada, 'screen');
    await everybodyMeets([ada, ben]);

    await press(ben, 'rtk-leave-button');
    await ben.page.locator('rtk-leave-meeting rtk-button[variant=danger]').first().click();
    await ben.page.locator('rtk-ended-screen').waitFor();
    await ada.until('Ben is gone', () => meeting.participants.joined.size === 0);
    assert.equal(await ada.does((id) => id in window.test.tiles(), ben.id), false);
  });
});
