import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { everybodyMeets, meet, newPreset, suite } from '../harness.mjs';

/** How many frames an element has to be given to show a moving picture. */
const MOVING_FRAMES = 12;

/** Presets of one who sees few of the others at a time, and of those others, whose pages have less to do. */
const PAGES = 'pages';
const CROWD = 'crowd';
const SEEN = 3;
/** Pages for five people of whom one is pinned. */
const PAGES_NEEDED = 2;

const streams = (most) => ({
  config: {
    max_video_streams: { desktop: most, mobile: most },
    media: { video: { quality: 'qvga', frame_rate: 15 } },
  },
});

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
  before(async () => {
    await newPreset(PAGES, 'group_call_host', streams(SEEN + 1));
    await newPreset(CROWD, 'group_call_host', streams(1));
  });

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
    await ada.until('the tile is gone', (id) => !(id in window.test.tiles()), ben.id);
  });

  meet(test, 'four people meet', async (meeting) => {
    const people = [];
    for (const name of ['Ada', 'Ben', 'Cem', 'Dua']) people.push(await joinByKit(meeting, name));
    await everybodyMeets(people);
    await Promise.all(people.flatMap((person) => people.map((other) => shows(person, other))));
  });

  meet(test, 'of six people, those who speak and those who are pinned are seen on every page', async (meeting) => {
    const crowd = [];
    for (const name of ['Ben', 'Cem', 'Dua', 'Eli', 'Fay']) {
      crowd.push(await meeting.join(name, { preset: CROWD, audio: false }));
    }
    const ada = await joinByKit(meeting, 'Ada', { preset: PAGES });
    const shown = async () => {
      const tiles = await ada.does(() => window.test.tiles());
      return crowd.filter(({ id }) => tiles[id]?.visible);
    };
    const settle = (what, count) =>
      ada.until(what, ([most, self]) => Object.entries(window.test.tiles()).filter(([id, { visible }]) => visible && id !== self).length === most, [
        count,
        ada.id,
      ]);
    await settle('a full page', SEEN);
    for (const person of await shown()) await shows(ada, person);

    const hidden = async () => {
      const seen = await shown();
      return crowd.filter((person) => !seen.includes(person));
    };
    const [speaker] = await hidden();
    await speaker.does(() => window.test.speak());
    await ada.until('the server says who speaks', (id) => meeting.participants.lastActiveSpeaker === id, speaker.id);
    await shows(ada, speaker);
    await ada.hears(speaker);

    const [pinned] = await hidden();
    await press(ada, 'rtk-participants-toggle');
    const entry = ada.page.locator('rtk-participants rtk-participant', { hasText: pinned.name });
    await entry.locator('.menu rtk-button').click();
    await entry.locator('rtk-menu-item', { hasText: 'Pin' }).click();
    await ada.until('the pin', (id) => meeting.participants.pinned.toArray().some((person) => person.id === id), pinned.id);
    await press(ada, 'rtk-participants-toggle');
    await shows(ada, pinned);

    const met = new Set();
    for (let page = 1; page <= PAGES_NEEDED; page += 1) {
      await ada.page.locator('rtk-grid-pagination rtk-button.next').click();
      await ada.until(`page ${page}`, (wanted) => meeting.participants.currentPage === wanted, page);
      await shows(ada, pinned);
      for (const person of await shown()) {
        await shows(ada, person);
        met.add(person);
      }
    }
    assert.equal(met.size, crowd.length, `seen were ${[...met].map(({ name }) => name)}`);
  });
});
