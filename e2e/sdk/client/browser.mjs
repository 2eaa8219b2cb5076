// What the SDK takes from a browser, as far as signalling needs it: connections that pretend to be
// connected, no microphone, no camera. Import this before the SDK.

import { resolveObjectURL } from 'node:buffer';
import { setMaxListeners } from 'node:events';
import vm from 'node:vm';

const page = { href: 'https://page.example/', host: 'page.example' };

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

// Timers of the page, which would keep the process alive when the tests are over.

const running = new Set();
let closed = false;
const native = { setTimeout, setInterval };

function timer(start, once) {
  return (callback, delay, ...args) => {
    if (closed) return native.setTimeout(() => {}, 0);
    const handle = start(
      (...given) => {
        if (once) running.delete(handle);
        callback(...given);
      },
      delay,
      ...args,
    );
    running.add(handle);
    return handle;
  };
}

/** Ends all timers for good, as the closing of a page does. */
export function closePage() {
  closed = true;
  for (const handle of running) clearTimeout(handle);
  running.clear();
}

// Waiting in a test goes by the clock of Node, not of the page.
export const sleep = (ms) => new Promise((resolve) => native.setTimeout(resolve, ms));

/** A dedicated worker, run in this thread: the SDK's timers live in one. */
class PageWorker extends EventTarget {
  #inside = new EventTarget();
  #started;

  constructor(url) {
    super();
    this.#started = resolveObjectURL(url)
      .text()
      .then((script) => vm.runInNewContext(script, this.#scope()));
  }

  #scope() {
    const scope = {
      addEventListener: (...args) => this.#inside.addEventListener(...args),
      postMessage: (data) => queueMicrotask(() => this.#post(this, data)),
      performance,
      setTimeout,
      clearTimeout,
      setInterval,
      clearInterval,
    };
    return Object.assign(scope, { self: scope });
  }

  #post(to, data) {
    to.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  postMessage(data) {
    this.#started.then(() => this.#post(this.#inside, data));
  }

  terminate() {}
}

class Stream {
  #tracks = [];

  addTrack(track) {
    this.#tracks.push(track);
  }

  getTracks() {
    return [...this.#tracks];
  }
}

class Audio extends EventTarget {
  async play() {}
  pause() {}
  remove() {}
}

class Picture {
  set src(_) {
    setTimeout(() => this.onload?.(), 0);
  }
}

class SoundContext {
  state = 'running';
  destination = {};

  createAnalyser() {
    return { frequencyBinCount: 0, connect() {}, disconnect() {}, getFloatTimeDomainData() {} };
  }

  createMediaStreamSource() {
    return { connect() {}, disconnect() {} };
  }

  async resume() {}
  async close() {}
}

const OPUS = { mimeType: 'audio/opus', clockRate: 48000, channels: 2, sdpFmtpLine: 'useinbandfec=1' };
const VP8 = { mimeType: 'video/VP8', clockRate: 90000 };

class Codecs {
  static getCapabilities(kind) {
    return { codecs: [kind === 'audio' ? OPUS : VP8], headerExtensions: [] };
  }
}

class Transceiver {
  sender = { track: null, async replaceTrack() {} };
  receiver = { track: null };

  constructor(mid) {
    this.mid = String(mid);
  }

  setCodecPreferences() {}
  stop() {}
}

/** A connection that is connected as soon as both descriptions are there. */
class Connection extends EventTarget {
  #transceivers = [];
  localDescription = null;
  remoteDescription = null;
  signalingState = 'stable';
  iceGatheringState = 'complete';
  iceConnectionState = 'new';
  connectionState = 'new';

  addTransceiver() {
    const made = new Transceiver(this.#transceivers.length);
    this.#transceivers.push(made);
    return made;
  }

  getTransceivers() {
    return [...this.#transceivers];
  }

  async createOffer() {
    return { type: 'offer', sdp: 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n' };
  }

  async createAnswer() {
    return { type: 'answer', sdp: 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n' };
  }

  async setLocalDescription(description) {
    this.localDescription = description;
  }

  async setRemoteDescription(description) {
    this.remoteDescription = description;
    if (this.iceConnectionState === 'new') setTimeout(() => this.#become('connected'), 0);
  }

  #become(state) {
    if (this.iceConnectionState === 'closed') return;
    this.iceConnectionState = state;
    this.connectionState = state;
    this.dispatchEvent(new Event('iceconnectionstatechange'));
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  async getStats() {
    return new Map();
  }

  close() {
    this.iceConnectionState = 'closed';
    this.connectionState = 'closed';
  }
}

// One page holds many people here, and each listens.
const target = () => {
  const made = new EventTarget();
  setMaxListeners(0, made);
  return made;
};

define('setTimeout', timer(native.setTimeout, true));
define('setInterval', timer(native.setInterval, false));
define('window', Object.assign(target(), { location: page, URL, RTCRtpTransceiver: Transceiver }));
define('location', page);
define('document', Object.assign(target(), {
  visibilityState: 'visible',
  body: { appendChild() {}, removeChild() {} },
  querySelectorAll: () => [],
  createElement: () => Object.assign(new EventTarget(), { style: {}, remove() {}, getContext: () => null }),
}));
const kept = new Map();
define('localStorage', {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, String(value)),
  removeItem: (key) => kept.delete(key),
});
define('navigator', {
  userAgent:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  product: 'Gecko',
  onLine: true,
  permissions: { query: async () => ({ state: 'denied' }) },
  mediaDevices: Object.assign(target(), {
    enumerateDevices: async () => [],
    getUserMedia: async () => {
      throw new DOMException('there is no device', 'NotFoundError');
    },
  }),
});
define('MediaStream', Stream);
define('Audio', Audio);
define('HTMLAudioElement', Audio);
define('Image', Picture);
define('AudioContext', SoundContext);
define('Worker', PageWorker);
define('RTCPeerConnection', Connection);
define('RTCRtpTransceiver', Transceiver);
define('RTCRtpSender', Codecs);
define('RTCRtpReceiver', Codecs);
