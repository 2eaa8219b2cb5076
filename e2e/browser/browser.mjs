// Chromium with devices that show a test picture and beep.

import { chromium } from 'playwright-core';

const START_MS = 60_000;

/** One process for all tests. Names below a server's base domain lead to it, where one is given. */
export async function startBrowser({ about, fakeUi = true } = {}) {
  const server = await chromium.launchServer({
    executablePath: process.env.MUSTER_CHROMIUM ?? '/usr/bin/chromium',
    timeout: START_MS,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      // Nobody is asked for the camera: it is given.
      ...(fakeUi ? ['--use-fake-ui-for-media-stream'] : []),
      '--use-fake-device-for-media-stream',
      '--ignore-certificate-errors',
      ...(about ? [`--host-resolver-rules=MAP *.${about.baseDomain} ${about.tls}`] : []),
    ],
  });
  return { address: server.wsEndpoint(), stop: () => server.close() };
}
