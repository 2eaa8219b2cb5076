import assert from 'node:assert/strict';
import { suite, visits } from '../harness.mjs';

/** How many more frames are a moving picture. */
const MOVING_FRAMES = 10;
/** How much more energy is no silence: the test device beeps once a second. */
const SOUND = 1e-6;

/** Keeps the connections that the client opens. */
function watchConnections() {
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      window.connections.push(this);
    }
  };
}

/** Frames that each picture on the page has shown; shadow roots are looked into. */
function framesShown() {
  const videos = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.localName === 'video' && element.videoWidth > 0) videos.push(element);
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return videos.map((video) => video.getVideoPlaybackQuality().totalVideoFrames);
}

/** The energy of the sound that came, by `getStats`. */
async function heard() {
  const reports = await Promise.all(window.connections.map((connection) => connection.getStats()));
  const streams = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'inbound-rtp');
  return streams.reduce((sum, { totalAudioEnergy = 0 }) => sum + totalAudioEnergy, 0);
}

suite('a newcomer', (site) => {
  visits(site, 'opens both links that muster dev prints, and two people see, hear and write to each other', async (visit) => {
    const people = [];
    for (const who of ['host', 'guest']) {
      const person = await visit({ init: watchConnections });
      people.push(person);
      await person.open(site.server.told[who]);
      await person.page.getByRole('button', { name: 'Join' }).click();
    }
    for (const person of people) {
      assert.ok(!person.page.url().includes('token'), 'the token is out of the address');
      // One's own picture, and that of the other.
      const from = await person.until('two pictures', async () => {
        const frames = await person.page.evaluate(framesShown);
        return frames.length >= 2 && frames;
      });
      await person.until('both move', async () => {
        const frames = await person.page.evaluate(framesShown);
        return frames.length >= 2 && frames.every((count, at) => count > (from[at] ?? 0) + MOVING_FRAMES);
      });
      await person.until('there is sound', async () => (await person.page.evaluate(heard)) > SOUND);
    }
    const [ada, grace] = people;
    for (const { page } of people) await page.locator('rtk-chat-toggle').click();
    for (const [who, text] of [
      [ada, 'Welcome!'],
      [grace, 'I see and hear you.'],
    ]) {
      await who.page.locator('rtk-chat-composer-view textarea').fill(text);
      await who.page.keyboard.press('Enter');
      for (const { page } of people) await page.locator('rtk-chat').getByText(text).waitFor();
    }
    // What the kit tells of people who come and go covers the picture for a moment.
    await ada.until('the notices are gone', async () => (await ada.page.locator('rtk-notification').count()) === 0);
    await ada.page.setViewportSize({ width: 1120, height: 630 });
    await ada.picture('meeting');
  });

  visits(site, 'a message that comes while the chat is opened is shown once', async (visit) => {
    const [ada, grace] = [await visit(), await visit()];
    const text = 'On the way';
    // What the server says to Grace waits here until it has said the message and the history with the message.
    let held;
    await grace.page.routeWebSocket(/./, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((frame) => server.send(frame));
      server.onMessage((frame) => {
        if (held) held.push({ frame, send: () => socket.send(frame) });
        else socket.send(frame);
      });
    });
    for (const [person, who] of [
      [ada, 'host'],
      [grace, 'guest'],
    ]) {
      await person.open(site.server.told[who]);
      await person.page.getByRole('button', { name: 'Join' }).click();
      await person.page.locator('rtk-leave-button').waitFor();
    }
    const shown = (person) => person.page.locator('rtk-chat').getByText(text);
    await ada.page.locator('rtk-chat-toggle').click();
    await ada.page.locator('rtk-chat-composer-view textarea').fill(text);
    held = [];
    await ada.page.keyboard.press('Enter');
    await shown(ada).waitFor();
    await grace.page.locator('rtk-chat-toggle').click();
    await grace.until('both are said', () => held.filter(({ frame }) => frame.includes(text)).length >= 2);
    const late = held;
    held = undefined;
    for (const { send } of late) send();
    await shown(grace).first().waitFor();
    await ada.page.locator('rtk-chat-composer-view textarea').fill('After it');
    await ada.page.keyboard.press('Enter');
    await grace.page.locator('rtk-chat').getByText('After it').waitFor();
    assert.equal(await shown(grace).count(), 1);
  });
});
