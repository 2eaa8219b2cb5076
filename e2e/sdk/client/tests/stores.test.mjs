import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, first, suite } from '../harness.mjs';

suite('stores', () => {
  test('what one sets, another is told and can get', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const [mine, theirs] = await Promise.all([ada.stores.create('board'), ben.stores.create('board')]);
    const told = [];
    theirs.subscribe('colour', (value) => told.push(value));
    await mine.set('colour', { name: 'red', rgb: [255, 0, 0] });
    assert.deepEqual(await first(told, 'Ben is told'), { colour: { name: 'red', rgb: [255, 0, 0] } });
    assert.deepEqual(theirs.get('colour'), { name: 'red', rgb: [255, 0, 0] });
    await theirs.set('colour', 'blue');
    await eventually('Ada has the new value', () => mine.get('colour') === 'blue');
  });

  test('several at once, and deletion', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const [mine, theirs] = await Promise.all([ada.stores.create('board'), ben.stores.create('board')]);
    await mine.bulkSet([{ key: 'a', payload: 1 }, { key: 'b', payload: 'two' }]);
    await eventually('Ben has both', () => theirs.get('a') === 1 && theirs.get('b') === 'two');
    await mine.delete('a');
    await eventually('one is gone', () => theirs.get('a') === undefined);
    assert.equal(theirs.get('b'), 'two');
  });

  test('who comes later finds what is there, store by store', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const [board, notes] = [await ada.stores.create('board'), await ada.stores.create('notes')];
    await board.set('a', 1);
    await notes.set('a', 2);
    const ben = await meeting.join('Ben');
    assert.deepEqual((await ben.stores.create('board')).getAll(), { a: 1 });
    assert.deepEqual((await ben.stores.create('notes')).getAll(), { a: 2 });
  });
});
