import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, heard, rest, suite } from '../harness.mjs';

const counts = (poll) => poll.options.map((option) => option.count);

/** Creates a poll, and waits until everybody has it. */
async function ask(by, readers, question, options, ...flags) {
  await by.polls.create(question, options, ...flags);
  for (const person of [by, ...readers]) {
    await eventually(`${person.self.name} has it`, () => find(person, question));
  }
  return find(by, question).id;
}

const find = (person, question) => person.polls.items.find((poll) => poll.question === question);

suite('polls', () => {
  test('a poll is asked, voted on and counted', async () => {
    const [ada, ben, cem] = await (await Meeting.create()).joinAll(['Ada', 'Ben', 'Cem']);
    const updates = heard(ben.polls, 'pollsUpdate');
    const id = await ask(ada, [ben, cem], 'Tea?', ['yes', 'no']);
    assert.equal(updates[0].newPoll, true);
    const asked = find(ben, 'Tea?');
    assert.equal(asked.createdBy, 'Ada');
    assert.equal(asked.createdByUserId, ada.self.userId);
    assert.deepEqual(asked.options.map((option) => option.text), ['yes', 'no']);
    assert.deepEqual(counts(asked), [0, 0]);
    await ben.polls.vote(id, 0);
    await cem.polls.vote(id, 1);
    for (const person of [ada, ben, cem]) {
      await eventually('both votes', () => find(person, 'Tea?').voted.length === 2);
      assert.deepEqual(counts(find(person, 'Tea?')), [1, 1]);
    }
    assert.deepEqual(find(ada, 'Tea?').options[0].votes, [{ id: ben.self.userId, name: 'Ben' }]);
  });

  test('an anonymous poll names nobody', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const id = await ask(ada, [ben], 'Tea?', ['yes', 'no'], true);
    await ben.polls.vote(id, 1);
    await eventually('the vote', () => counts(find(ada, 'Tea?'))[1] === 1);
    assert.equal(find(ada, 'Tea?').anonymous, true);
    assert.deepEqual(find(ada, 'Tea?').options[1].votes, []);
  });

  test('hidden votes show once one has voted', async () => {
    const [ada, ben] = await (await Meeting.create()).joinAll(['Ada', 'Ben']);
    const id = await ask(ada, [ben], 'Tea?', ['yes', 'no'], false, true);
    await ada.polls.vote(id, 0);
    await eventually('Ada sees her own', () => counts(find(ada, 'Tea?'))[0] === 1);
    await ben.polls.vote(id, 1);
    await eventually('Ben sees both', () => counts(find(ben, 'Tea?')).join() === '1,1');
  });

  test('who comes later sees the polls', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    const id = await ask(ada, [], 'Tea?', ['yes', 'no']);
    await ada.polls.vote(id, 1);
    await eventually('the vote', () => counts(find(ada, 'Tea?'))[1] === 1);
    const ben = await meeting.join('Ben', 'group_call_participant');
    await eventually('Ben has it', () => find(ben, 'Tea?'));
    assert.deepEqual(counts(find(ben, 'Tea?')), [0, 1]);
  });

  test('a poll asked over REST is asked in the meeting', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    await rest('POST', `${meeting.path}/active-session/poll`, {
      question: 'Lunch?',
      options: ['now', 'later'],
    });
    await eventually('Ada has it', () => find(ada, 'Lunch?'));
    await ada.polls.vote(find(ada, 'Lunch?').id, 0);
    await eventually('the vote', () => counts(find(ada, 'Lunch?'))[0] === 1);
  });
});
