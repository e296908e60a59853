import { connect, type Socket } from 'node:net';
import { Connection, postRequest } from './connection.js';
import { type Figure, latencyOf, quantile, round } from './figure.js';
import type { BenchOptions } from './options.js';
import { type Platform, SERVICE, startPlatform } from './platform.js';

const STREAMS = 2_000;
const MESSAGES = 50;
const WARM_UP = 5;
const USER = 'p-inbox';
/** Connections that are being opened at once. */
const OPENING = 50;

const EVENT = Buffer.from('event: item\n');
const CREATED_AT = '"createdAt":"';

/** What all streams receive together. */
class Receptions {
  latencies: number[] = [];
  private left = 0;
  private done: (() => void) | null = null;

  /** Resolves when so many more have come. */
  next(count: number): Promise<void> {
    this.left = count;
    return new Promise((resolve) => (this.done = resolve));
  }

  take(createdAt: number): void {
    this.latencies.push(Date.now() - createdAt);
    this.left -= 1;
    if (this.left === 0) this.done?.();
  }
}

/** Opens a stream on a bare socket: two thousand of anything more would measure the client. Resolves when it is live. */
const openStream = (gateway: URL, token: string, receptions: Receptions): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: gateway.hostname, port: Number(gateway.port), noDelay: true });
    let rest: Buffer = Buffer.alloc(0);
    let live = false;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the gateway closed a stream: ${rest.toString('latin1', 0, 200)}`)));
    socket.on('data', (data) => {
      const all = rest.length === 0 ? data : Buffer.concat([rest, data]);
      if (!live && all.includes('event: ready')) {
        live = true;
        resolve(socket);
      }
      let from = 0;
      for (let at = all.indexOf(EVENT); at >= 0; at = all.indexOf(EVENT, from)) {
        const end = all.indexOf('\n\n', at);
        if (end < 0) break;
        const text = all.toString('latin1', at, end);
        const time = text.indexOf(CREATED_AT) + CREATED_AT.length;
        receptions.take(Date.parse(text.slice(time, time + 24)));
        from = end;
      }
      // Part of an event, at the most.
      const begun = all.indexOf(EVENT, from);
      rest = begun >= 0 ? all.subarray(begun) : all.subarray(Math.max(from, all.length - EVENT.length));
    });
    socket.write(
      `GET /api/inbox/stream HTTP/1.1\r\nhost: ${gateway.host}\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n\r\n`,
    );
  });

const answered = async (platform: Platform, connection: Connection, path: string, body: object): Promise<string> => {
  const headers = { authorization: `Bearer ${platform.house.key}` };
  const answer = await connection.send(postRequest(platform.gateway, path, headers, JSON.stringify(body)));
  if (answer.status > 299) throw new Error(`${path} answered ${answer.status}: ${answer.body.toString()}`);
  return answer.body.toString();
};

/** From storing an item to its reception on each of the reader's streams, all on one gateway; one message after the other. */
export const inbox = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options, { dispatchers: 1 }, { USER_LIMIT_PER_MINUTE: '1000000' });
  const streams = options.count ?? STREAMS;
  const connection = new Connection(platform.gateway);
  options.cleanUps.add('the connection', () => Promise.resolve(connection.close()));
  const { token } = JSON.parse(
    await answered(platform, connection, '/api/inbox/tokens', { serviceName: SERVICE, userId: USER }),
  ) as { token: string };
  options.say(`opening ${streams} streams of one user`);
  const receptions = new Receptions();
  const sockets: Socket[] = [];
  options.cleanUps.add('the streams', () => {
    for (const socket of sockets) socket.destroy();
    return Promise.resolve();
  });
  const opened = performance.now();
  while (sockets.length < streams) {
    const some = Array.from({ length: Math.min(OPENING, streams - sockets.length) }, () =>
      openStream(platform.gateway, token, receptions),
    );
    sockets.push(...(await Promise.all(some)));
  }
  const openedMs = performance.now() - opened;

  const accepted: number[] = [];
  for (let number = 0; number < WARM_UP + MESSAGES; number += 1) {
    if (number === WARM_UP) {
      receptions.latencies = [];
      options.say(`${MESSAGES} messages, each to ${streams} streams`);
    }
    const all = receptions.next(streams);
    const started = performance.now();
    const message = { serviceName: SERVICE, userId: USER, channel: 'in-app', title: 'Insulin', body: `Dose ${number}` };
    await answered(platform, connection, '/api/notifications', message);
    await all;
    if (number >= WARM_UP) accepted.push(performance.now() - started);
  }
  const { latencies } = receptions;
  const { p50, p99 } = latencyOf(latencies);
  return {
    bench: 'inbox',
    value: p99,
    unit: 'ms',
    floor: null,
    ratio: null,
    streams,
    receptions: latencies.length,
    p50,
    p99,
    max: round(quantile(latencies, 1)),
    sentToAllP50: latencyOf(accepted).p50,
    openedPerSecond: round((streams / openedMs) * 1000, 0),
    reached: p99 < 250 && latencies.length === MESSAGES * streams,
  };
};
