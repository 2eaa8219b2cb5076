import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, first, heard, suite } from '../harness.mjs';
import { sleep } from '../browser.mjs';

/** What somebody's chat shows. */
const texts = (person) => person.chat.messages.map((said) => said.message);
const says = (text) => ({ message }) => message.message === text;

/** Says something, and waits until everybody has read it; answers it as the sender's chat has it. */
async function say(by, text, readers) {
  const own = heard(by.chat, 'chatUpdate');
  await by.chat.sendTextMessage(text);
  const { message } = await first(own, 'the echo', says(text));
  for (const reader of readers) {
    await eventually(`${reader.self.name} reads ${text}`, () => texts(reader).includes(text));
  }
  return message;
}

suite('chat', () => {
  test('two people write to each other', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const news = heard(ben.chat, 'chatUpdate');
    const sent = await say(ada, 'Good morning', [ben]);
    const update = await first(news, 'Ben is told');
    assert.equal(update.action, 'add');
    assert.equal(update.message.type, 'text');
    assert.equal(update.message.message, 'Good morning');
    assert.equal(update.message.userId, ada.self.userId);
    assert.equal(update.message.displayName, 'Ada');
    assert.equal(update.message.id, sent.id);
    assert.ok(Math.abs(update.message.time.getTime() - Date.now()) < 60_000);
    await say(ben, 'Good day ☀', [ada]);
    assert.deepEqual(texts(ada), ['Good morning', 'Good day ☀']);
    assert.deepEqual(texts(ben), texts(ada));
  });

  test('who comes later reads what was said before', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    await say(ada, 'one', []);
    await say(ada, 'two', []);
    const ben = await meeting.join('Ben');
    await eventually('Ben reads all', () => ben.chat.messages.length === 2);
    assert.deepEqual(texts(ben), ['one', 'two']);
  });

  test('an edited message changes for everybody', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const { id } = await say(ada, 'teh', [ben]);
    const edits = heard(ben.chat, 'chatUpdate');
    await ada.chat.editTextMessage(id, 'the');
    const edit = await first(edits, 'the edit', ({ action }) => action === 'edit');
    assert.equal(edit.message.id, id);
    assert.equal(edit.message.isEdited, true);
    assert.deepEqual(texts(ben), ['the']);
    await eventually('Ada sees it', () => texts(ada)[0] === 'the');
  });

  test('somebody else cannot edit or delete it', async () => {
    const meeting = await Meeting.create();
    const [ada, ben] = await meeting.joinAll(['Ada', 'Ben'], 'group_call_participant');
    const { id } = await say(ada, 'mine', [ben]);
    await ben.chat.editTextMessage(id, 'yours');
    await ben.chat.deleteMessage(id);
    await say(ben, 'after', [ada]); // the server keeps the order, so both have been judged by now
    assert.deepEqual(texts(ada), ['mine', 'after']);
    assert.deepEqual(texts(ben), ['mine', 'after']);
  });

  test('a deleted message is gone for everybody', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const { id } = await say(ada, 'oops', [ben]);
    await ada.chat.deleteMessage(id);
    await eventually('it is gone', () => ada.chat.messages.length + ben.chat.messages.length === 0);
  });

  test('a pinned message is pinned for everybody, and unpinned', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const { id } = await say(ada, 'important', [ben]);
    await say(ada, 'not so', [ben]);
    const pins = heard(ben.chat, 'pinMessage');
    const unpins = heard(ben.chat, 'unpinMessage');
    await ada.chat.pin(id);
    assert.equal((await first(pins, 'the pin')).message.id, id);
    assert.deepEqual(ben.chat.messages.map((said) => said.pinned), [true, false]);
    const pinned = await ben.chat.fetchPinnedMessages({ limit: 10, direction: 'before' });
    assert.deepEqual(pinned.map((said) => said.id), [id]);
    await ada.chat.unpin(id);
    assert.equal((await first(unpins, 'the end of it')).message.id, id);
    assert.deepEqual(await ben.chat.fetchPinnedMessages({ limit: 10, direction: 'before' }), []);
  });

  test('an unknown message cannot be pinned', async () => {
    const ada = await (await Meeting.create()).join('Ada');
    await assert.rejects(ada.chat.pin('00000000-0000-4000-8000-000000000000'), { code: '0504' });
  });

  test('a private message reaches its receiver alone', async () => {
    const [ada, ben, cem] = await (await Meeting.create()).joinAll(['Ada', 'Ben', 'Cem']);
    const news = heard(ben.chat, 'chatUpdate');
    await ada.chat.sendTextMessage('between us', [ben.self.id]);
    const { message } = await first(news, 'Ben is told', says('between us'));
    assert.deepEqual([...message.targetUserIds].sort(), [ada.self.userId, ben.self.userId].sort());
    await eventually('Ada has it too', () => texts(ada).includes('between us'));
    await say(ada, 'to all', [ben, cem]);
    assert.deepEqual(texts(cem), ['to all']);
    const page = { limit: 10, direction: 'before' };
    const kept = await ben.chat.fetchPrivateMessages({ ...page, userId: ada.self.userId });
    assert.deepEqual(kept.map((said) => said.message), ['between us']);
    const foreign = await cem.chat.fetchPrivateMessages({ ...page, userId: ada.self.userId });
    assert.deepEqual(foreign, []);
    const open = await cem.chat.fetchPublicMessages(page);
    assert.deepEqual(open.map((said) => said.message), ['to all']);
  });

  test('the history comes page by page, either way', async () => {
    const ada = await (await Meeting.create()).join('Ada');
    const all = ['a', 'b', 'c', 'd', 'e'];
    for (const text of all) {
      await say(ada, text, []);
      await sleep(5); // pages are cut by time in milliseconds
    }
    const page = (fields) => ada.chat.fetchPublicMessages({ limit: 2, ...fields });
    const found = [];
    let timestamp = Date.now() + 1000;
    for (;;) {
      const older = await page({ direction: 'before', timestamp });
      if (older.length === 0) break;
      assert.ok(older.length <= 2);
      found.push(...older.map((said) => said.message));
      timestamp = Math.min(...older.map((said) => said.timeMs)) - 1;
    }
    assert.deepEqual(found, [...all].reverse());
    const oldest = await page({ direction: 'after', timestamp: timestamp - 60_000 });
    assert.deepEqual(oldest.map((said) => said.message), ['a', 'b']);
  });

  test('a message with more than text', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const link = 'https://example.org/a.png';
    await ada.chat.sendCustomMessage({ message: 'look', html: '<b>look</b>', images: [link] });
    const said = await eventually('Ben has it', () => ben.chat.messages[0]);
    assert.equal(said.type, 'custom');
    assert.equal(said.message, 'look');
    assert.equal(said.html, '<b>look</b>');
    assert.deepEqual(said.images, [{ link }]);
  });
});
