// What every test uses: a server with its page, visitors in a browser each, and a watch over where they go.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { DevServer } from './server.mjs';

/** How long anything that should happen may take. */
export const PATIENCE_MS = 20_000;
const TEST_MS = 90_000;
const POLL_MS = 50;
/** What Chromium asks by itself where there is a field to fill in. */
const BROWSERS_OWN = /^CONNECT content-autofill\.googleapis\.com:443 /;

const address = process.env.MUSTER_WEB_BROWSER ?? fail();
const screenshots = process.env.MUSTER_SCREENSHOTS;

function fail() {
  throw new Error('MUSTER_WEB_BROWSER is not set: run this by drive.mjs');
}

/** A file's tests, one after the other, on a server of their own: `site.server`, which is `muster dev` unless said. */
export function suite(name, body, start = DevServer.start) {
  const site = {};
  describe(name, { concurrency: false }, () => {
    before(async () => {
      site.browser = await chromium.connect(address);
      site.server = await start();
    });
    after(async () => {
      await site.browser?.close();
      await site.server?.stop();
    });
    body(site);
  });
}

/**
 * A test with visitors: `visit(options)` opens a browser of its own and answers a [`Visitor`]. In the end nobody has
 * asked anything of another machine.
 */
export function visits(site, name, body) {
  test(name, { timeout: TEST_MS }, async () => {
    const watch = await Watch.start();
    const visitors = [];
    const visit = async (options) => {
      const visitor = await Visitor.come(options?.browser ?? site.browser, watch, options);
      visitors.push(visitor);
      return visitor;
    };
    try {
      await body(visit);
      assert.deepEqual(watch.seen, [], 'nothing is asked of another machine');
    } catch (problem) {
      for (const visitor of visitors) console.log(visitor.account());
      throw problem;
    } finally {
      await Promise.all(visitors.map(({ context }) => context.close()));
      watch.stop();
    }
  });
}

/**
 * Stands in for the network: browsers reach everything but this machine by this proxy, which notes what they ask for
 * (a connection made ahead too) and gives nothing.
 */
class Watch {
  seen = [];

  static async start() {
    const watch = new Watch();
    watch.server = createServer((socket) => {
      socket.once('data', (head) => {
        const [request] = head.toString('latin1').split('\r\n', 1);
        if (!BROWSERS_OWN.test(request)) watch.seen.push(request);
        socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
      });
      socket.on('error', () => socket.destroy());
    });
    watch.server.listen(0, '127.0.0.1');
    await once(watch.server, 'listening');
    return watch;
  }

  get address() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.close();
  }
}

/** Somebody with a browser of their own. */
class Visitor {
  said = [];
  /** What the Content-Security-Policy refused: `[directive, address]`. */
  refused = [];

  static async come(browser, watch, { init, browser: _, ...options } = {}) {
    const visitor = new Visitor();
    visitor.context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      proxy: { server: watch.address, bypass: 'localhost,127.0.0.1,*.test' },
      ...options,
    });
    await visitor.context.exposeBinding('toldOfRefusal', (_, told) => visitor.refused.push(told));
    await visitor.context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
        window.toldOfRefusal([effectiveDirective, blockedURI]),
      );
    });
    if (init) await visitor.context.addInitScript(init);
    visitor.page = await visitor.context.newPage();
    visitor.page.setDefaultTimeout(PATIENCE_MS);
    visitor.page.on('console', (message) => visitor.said.push(`${message.type()}: ${message.text()}`));
    visitor.page.on('pageerror', (error) => visitor.said.push(String(error)));
    return visitor;
  }

  open(address) {
    return this.page.goto(address);
  }

  /** The page says so in a heading, and has that as its title. */
  async reads(title) {
    await this.page.getByRole('heading', { name: title }).waitFor();
  }

  /** Asks until the answer is true, and answers it. */
  async until(what, check, patience = PATIENCE_MS) {
    const giveUp = performance.now() + patience;
    for (;;) {
      const answer = await check();
      if (answer) return answer;
      if (performance.now() > giveUp) throw new Error(`not within ${patience / 1000} s: ${what}`);
      await sleep(POLL_MS);
    }
  }

  /** No serious finding of axe on what is shown, the kit's own elements aside. */
  async isAccessible() {
    const { violations } = await new AxeBuilder({ page: this.page }).exclude('rtk-meeting').analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const findings = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    assert.deepEqual(findings, []);
  }

  /** A picture for the documentation, when such are wanted. */
  async picture(name) {
    if (!screenshots) return;
    await mkdir(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
  }

  /** What there is to know when a test failed. */
  account() {
    return `at ${this.page.url()}\n  ${this.said.slice(-15).join('\n  ')}\n  refused ${JSON.stringify(this.refused)}`;
  }
}
