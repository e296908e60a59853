import { acceptedSample } from './accept.js';
import { Connection, postRequest } from './connection.js';
import { compared, type Figure, latencyOf } from './figure.js';
import { startFloor } from './floor.js';
import type { BenchOptions } from './options.js';
import { notificationFor, type Platform, SERVICE, startPlatform, untilPublished } from './platform.js';

const MOST = 10_000;

/** Bulks of up to 10,000 one after the other. @returns recipients per second, and how long each call took */
const measureBulk = async (
  { house, gateway }: Platform,
  count: number,
  turn: number,
): Promise<{ perSecond: number; latencies: number[] }> => {
  const requests: string[] = [];
  // A campaign writes to each user once: those of one round are not those of the round before.
  const first = (turn + 1) * count;
  for (let from = 0; from < count; from += MOST) {
    const all = Array.from({ length: Math.min(MOST, count - from) }, (_, index) =>
      notificationFor(first + from + index, 'push', house.sandbox.url),
    );
    const { channel, type, title, body, data } = all[0] ?? notificationFor(0, 'push', house.sandbox.url);
    const recipients = all.map(({ userId, to, reference }) => ({ userId, to, reference }));
    requests.push(
      postRequest(
        gateway,
        '/api/notifications/bulk',
        { authorization: `Bearer ${house.key}`, 'idempotency-key': `${process.pid}-${turn}-${from}` },
        JSON.stringify({ serviceName: SERVICE, content: { channel, type, title, body, data }, recipients }),
      ),
    );
  }
  const latencies: number[] = [];
  const connection = new Connection(gateway);
  const started = performance.now();
  try {
    for (const request of requests) {
      const begun = performance.now();
      const { status, body } = await connection.send(request);
      if (status !== 202) throw new Error(`a bulk was answered ${status}: ${body.toString()}`);
      const { counts } = JSON.parse(body.toString()) as { counts: { total: number; accepted: number } };
      if (counts.accepted !== counts.total)
        throw new Error(`${counts.total - counts.accepted} recipients were refused`);
      latencies.push(performance.now() - begun);
    }
  } finally {
    connection.close();
  }
  return { perSecond: (count / (performance.now() - started)) * 1000, latencies };
};

export const bulk = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options);
  const count = options.count ?? 50_000;
  await measureBulk(platform, Math.min(count, 2_000), -1);
  const sample = await acceptedSample(platform, true);
  const values: number[] = [];
  const floors: number[] = [];
  const latencies: number[] = [];
  for (let turn = 0; turn < options.rounds; turn += 1) {
    const measured = await measureBulk(platform, count, turn);
    await untilPublished(platform);
    values.push(measured.perSecond);
    latencies.push(...measured.latencies);
    const floor = startFloor('bulk', {
      ...platform.floorEnv,
      FLOOR_SAMPLE: sample,
      FLOOR_COUNT: String(count),
    });
    const { perSecond } = await floor.next<{ perSecond: number }>();
    await floor.stop();
    floors.push(perSecond);
    options.say(`round ${turn + 1}: ${measured.perSecond.toFixed(0)}/s, floor ${perSecond.toFixed(0)}/s`);
  }
  const figures = compared(values, floors);
  return { bench: 'bulk', ...figures, unit: 'recipients/s', ...latencyOf(latencies), reached: figures.ratio >= 0.4 };
};
