// A bad network between a person and the server: datagrams of media pass a relay that is slow, far or lossy.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** How much waits in front of a slow link, in milliseconds, as in a home router; what comes then is lost. */
const QUEUE_MS = 300;
const LOOPBACK = '127.0.0.1';

/** One direction. `rate` is in bits per second, `delay` in milliseconds, `loss` a part of one. */
class Link {
  rate = Infinity;
  delay = 0;
  loss = 0;
  #seed;
  #free = 0;
  #queue = [];
  #timer;

  constructor(seed) {
    this.#seed = seed;
  }

  /** Below one (xorshift). */
  #random() {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return (this.#seed >>> 0) / 2 ** 32;
  }

  carry({ length }, deliver) {
    const now = performance.now();
    const begins = Math.max(now, this.#free);
    if (this.#random() < this.loss || begins - now > QUEUE_MS) return;
    this.#free = begins + (length * 8000) / this.rate;
    // Nothing overtakes.
    const due = Math.max(this.#free + this.delay, this.#queue.at(-1)?.due ?? 0);
    this.#queue.push({ due, deliver });
    this.#timer ?? this.#pump();
  }

  #pump = () => {
    while (this.#queue[0]?.due <= performance.now()) this.#queue.shift().deliver();
    const wait = this.#queue.length > 0 ? this.#queue[0].due - performance.now() : undefined;
    this.#timer = wait === undefined ? undefined : setTimeout(this.#pump, wait);
  };

  close() {
    clearTimeout(this.#timer);
    this.#queue = [];
  }
}

export class Network {
  down = new Link(1);
  up = new Link(2);
  #sockets = [];
  #ports = new Map();

  /** Makes both directions like this; what is not named is without limit. */
  become({ down = {}, up = {} } = {}) {
    Object.assign(this.down, { rate: Infinity, delay: 0, loss: 0 }, down);
    Object.assign(this.up, { rate: Infinity, delay: 0, loss: 0 }, up);
  }

  /** The local port by which a port of the server is reached. */
  port(server) {
    if (!this.#ports.has(server)) this.#ports.set(server, this.#relay(server));
    return this.#ports.get(server);
  }

  async #relay(server) {
    const front = this.#socket();
    const backs = new Map();
    front.bind(0, LOOPBACK);
    await once(front, 'listening');
    front.on('message', (datagram, from) => {
      // The server tells connections apart by where they come from.
      let back = backs.get(from.port);
      if (!back) {
        back = this.#socket();
        back.on('message', (answer) => this.down.carry(answer, () => front.send(answer, from.port, from.address)));
        backs.set(from.port, back);
      }
      this.up.carry(datagram, () => back.send(datagram, server, LOOPBACK));
    });
    return front.address().port;
  }

  #socket() {
    const socket = createSocket('udp4');
    // A port whose owner is gone answers so.
    socket.on('error', () => {});
    this.#sockets.push(socket);
    return socket;
  }

  close() {
    this.down.close();
    this.up.close();
    for (const socket of this.#sockets) socket.close();
  }
}
