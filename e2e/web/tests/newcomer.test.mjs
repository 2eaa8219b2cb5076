import assert from 'node:assert/strict';
import { suite, visits } from '../harness.mjs';

/** Frames that each picture of the kit's tiles has shown, the largest first; shadow roots are looked into. */
const shown = () => {
  const videos = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.localName === 'video' && element.videoWidth > 0) videos.push(element);
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return videos.map((video) => video.getVideoPlaybackQuality().totalVideoFrames);
};

suite('a newcomer', (site) => {
  visits(site, 'opens both links that muster dev prints, and two people see each other', async (visit) => {
    const people = [];
    for (const who of ['host', 'guest']) {
      const person = await visit();
      people.push(person);
      await person.open(site.server.told[who]);
      await person.page.getByRole('button', { name: 'Join' }).click();
    }
    for (const { page } of people) assert.ok(!page.url().includes('token'), 'the token is out of the address');
    for (const person of people) {
      // One's own picture, and that of the other.
      const from = await person.until('two pictures', async () => {
        const frames = await person.page.evaluate(shown);
        return frames.length >= 2 && frames;
      });
      await person.until('both move', async () => {
        const frames = await person.page.evaluate(shown);
        return frames.length >= 2 && frames.every((count, at) => count > (from[at] ?? 0) + 10);
      });
    }
  });
});
