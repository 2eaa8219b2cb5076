import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meeting, eventually, first, heard, rest, server, signIn, suite } from '../harness.mjs';
import { cutSocket } from '../network.mjs';

suite('who is not let in', () => {
  test('a token that has expired', async () => {
    await assert.rejects(signIn(server.expired_token), { code: '0004', message: /\(401\)/ });
  });

  test('a token that somebody changed', async () => {
    const { token } = await (await Meeting.create()).add('Ada');
    const [head, claims, signature] = token.split('.');
    const other = { ...JSON.parse(atob(claims)), participantId: '00000000-0000-4000-8000-000000000000' };
    const forged = [head, btoa(JSON.stringify(other)).replaceAll('=', ''), signature].join('.');
    await assert.rejects(signIn(forged), { code: '0004', message: /\(401\)/ });
  });

  test('something that is no token', async () => {
    await assert.rejects(signIn('eyJnothing.at.all'), { code: '0004' });
  });

  test('the token of a participant that was deleted', async () => {
    const meeting = await Meeting.create();
    const { id, token } = await meeting.add('Ada');
    await rest('DELETE', `${meeting.path}/participants/${id}`);
    await assert.rejects(signIn(token), { code: '0004', message: /\((401|404)\)/ });
  });

  test('a meeting that is not active', async () => {
    const meeting = await Meeting.create();
    const { token } = await meeting.add('Ada');
    await rest('PATCH', meeting.path, { status: 'INACTIVE' });
    await assert.rejects(signIn(token), { code: '0004', message: /\(404\)/ });
  });

  test('a meeting that became inactive after signing in', async () => {
    const meeting = await Meeting.create();
    const inside = await meeting.join('Ada');
    const outside = await meeting.signIn('Ben');
    await rest('PATCH', meeting.path, { status: 'INACTIVE' });
    await assert.rejects(outside.join(), { code: '0002' });
    const returned = heard(inside.self, 'roomJoined');
    cutSocket(inside.self.id);
    await first(returned, 'who was inside comes back');
    assert.equal(inside.participants.joined.size, 0);
  });

  test('a token that was renewed, and the one before', async () => {
    const meeting = await Meeting.create();
    const { id, token } = await meeting.add('Ada');
    const renewed = (await rest('POST', `${meeting.path}/participants/${id}/token`)).token;
    assert.notEqual(renewed, token);
    const ada = await signIn(renewed);
    await ada.join();
    assert.equal(ada.self.roomState, 'joined');
    assert.equal(ada.self.userId, id);
  });

  test('no server at all', async () => {
    const { token } = await (await Meeting.create()).add('Ada');
    await assert.rejects(signIn(token, { baseURI: 'elsewhere.test' }), { code: '0001' });
  });

  test('removal with the record ends the connection', async () => {
    const meeting = await Meeting.create();
    const ada = await meeting.join('Ada');
    await rest('DELETE', `${meeting.path}/participants/${ada.self.userId}?disconnect=true`);
    await eventually('Ada is out', () => ada.self.roomState === 'kicked');
  });
});
