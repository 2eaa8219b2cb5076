import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, suite } from '../harness.mjs';

// One after the other: the SDK uploads as whoever signed in last on the page.
suite('files in the chat', () => {
  test('a file is uploaded, told and read', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const content = 'a,b\n1,2\n';
    await ada.chat.sendFileMessage(new File([content], 'table.csv', { type: 'text/csv' }));
    const said = await eventually('Ben has it', () => ben.chat.messages[0]);
    assert.equal(said.type, 'file');
    assert.equal(said.name, 'table.csv');
    assert.equal(said.size, content.length);
    assert.equal(await (await fetch(said.link)).text(), content);
  });

  test('an image is uploaded, told and read', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const content = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    await ada.chat.sendImageMessage(new File([content], 'dot.png', { type: 'image/png' }));
    const said = await eventually('Ben has it', () => ben.chat.messages[0]);
    assert.equal(said.type, 'image');
    const read = await fetch(said.link);
    assert.equal(read.headers.get('content-type'), 'image/png');
    assert.deepEqual(new Uint8Array(await read.arrayBuffer()), content);
  });
}, { inTurn: true });
