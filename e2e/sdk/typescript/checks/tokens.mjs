// GET /user/tokens/verify.

import { equal, expect, refused } from '../harness.mjs';

export async function verifyTellsAnActiveToken(w) {
  const token = await w.client.user.tokens.verify();
  equal(token.status, 'active', 'status');
  expect(/^[0-9a-f]{32}$/.test(token.id), `the id is not 32 hex digits: ${token.id}`);
}

export async function verifyAnswersInTheV4Envelope(w) {
  const answer = await w.get('/user/tokens/verify');
  equal(answer.success, true, 'success');
  equal(answer.errors, [], 'errors');
  equal(answer.messages, [], 'messages');
}

export async function verifyRefusesAnUnknownToken(w) {
  const stranger = w.connect({ token: 'no-such-token' });
  await refused(401, () => stranger.user.tokens.verify());
}
