// What the tests of the console share: an operator who has signed in, and the console's dialogs and tables.

import assert from 'node:assert/strict';

/** An API token beside the one that `muster dev` printed, which lasts until the next start: `{id, secret}`. */
export async function newToken(server, permission = 'realtime') {
  const headers = { authorization: `Bearer ${server.told.token}`, 'content-type': 'application/json' };
  const answer = await fetch(tokensOf(server), { method: 'POST', headers, body: JSON.stringify({ permission }) });
  assert.equal(answer.status, 201);
  return (await answer.json()).data;
}

export async function revoke(server, { id }) {
  const headers = { authorization: `Bearer ${server.told.token}` };
  const answer = await fetch(`${tokensOf(server)}/${id}`, { method: 'DELETE', headers });
  assert.equal(answer.status, 200);
}

const tokensOf = ({ api }) => `${api.split('/kit/')[0]}/tokens`;

/** An operator's browser. */
export class Operator {
  constructor(visitor, server) {
    Object.assign(this, { visitor, server, page: visitor.page });
    // Chromium logs each answer that is an error, which some tests want; anything else is a fault of the page.
    this.page.on('pageerror', (error) => this.faults.push(String(error)));
  }

  faults = [];

  /** Somebody at the console, at one of its app's screens. */
  static async signIn(visit, server, screen = 'meetings', { token, ...options } = {}) {
    const operator = new Operator(await visit(options), server);
    await operator.visitor.open(`${server.origin}/console/`);
    await operator.fill('API token', token?.secret ?? server.told.token);
    await operator.press('Sign in');
    await operator.page.getByRole('heading', { name: 'Meetings', level: 1 }).waitFor();
    if (screen !== 'meetings') await operator.goes(screen);
    return operator;
  }

  /** Opens one of the app's screens by its address, as after a reload. */
  async goes(screen) {
    await this.visitor.open(`${this.server.origin}/console/apps/${this.server.told.app}/${screen}`);
  }

  /** The dialog that is open, or else the page. */
  get front() {
    return this.page.locator('dialog[open]').or(this.page.locator('body:not(:has(dialog[open]))'));
  }

  button(name) {
    return this.front.getByRole('button', { name, exact: true });
  }

  press(name) {
    return this.button(name).click();
  }

  field(label) {
    return this.front.locator('input, select, textarea').and(this.page.getByLabel(label));
  }

  fill(label, text) {
    return this.field(label).fill(text);
  }

  choose(label, option) {
    return this.field(label).selectOption(option);
  }

  pick(option) {
    return this.front.getByRole('radio', { name: option, exact: true }).check();
  }

  /** The join link that is shown. */
  link() {
    return this.front.getByRole('textbox', { name: 'Link' }).inputValue();
  }

  async reads(text) {
    await this.front.getByText(text).first().waitFor();
  }

  async dialog(title) {
    await this.page.getByRole('dialog', { name: title }).waitFor();
  }

  async noDialog() {
    await this.page.locator('dialog[open]').waitFor({ state: 'detached' });
  }

  row(text) {
    return this.page.getByRole('row').filter({ hasText: text });
  }

  async hasRows(...texts) {
    await this.visitor.until(`rows ${texts}`, async () => {
      const rows = await this.page.locator('tbody tr:not([aria-hidden])').allInnerTexts();
      return rows.length === texts.length && texts.every((text, at) => rows[at].includes(text));
    });
  }

  /** What is on show: no serious finding, no fault, the token nowhere but in the tab's own storage; and a picture. */
  async looksRight(name) {
    await this.visitor.isAccessible();
    await this.visitor.picture(`console-${name}`);
    assert.deepEqual(this.faults, []);
    assert.deepEqual(this.visitor.refused, [], 'the page does nothing that its policy forbids');
    const { token } = this.server.told;
    assert.ok(!this.page.url().includes(token));
    assert.equal(await this.page.evaluate(() => localStorage.length + document.cookie.length), 0);
  }
}
