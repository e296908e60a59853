import { connect } from 'amqplib';
import type { Channel } from '#contracts/vocabulary';
import { type Figure, compared } from './figure.js';
import { startFloor } from './floor.js';
import { FLOOR_QUEUE } from './floors/broker.js';
import { loadCount } from './load.js';
import { type BenchOptions, CONNECTIONS } from './options.js';
import { type Platform, sendRequests, SERVICE, startPlatform, untilNone, untilPublished } from './platform.js';

const DEADLINE_MS = 600_000;

/** Accepts so many while nobody delivers: they wait in the queue. */
export const fill = async (platform: Platform, channel: Channel, count: number, service = SERVICE): Promise<void> => {
  await loadCount({
    url: platform.gateway,
    connections: CONNECTIONS,
    count,
    request: sendRequests(platform, channel, service),
  });
  await untilPublished(platform, service);
};

/** From the first reception until `finished`, while `begin` starts whatever delivers. */
const timed = async <T>(
  { sandbox }: Platform,
  channel: Channel,
  count: number,
  begin: () => T | Promise<T>,
  finished: (begun: T) => Promise<unknown>,
): Promise<{ perSecond: number; begun: T }> => {
  await sandbox.reset();
  const first = sandbox.wait(1, DEADLINE_MS, channel);
  const begun = await begin();
  await first;
  const started = performance.now();
  if (!(await sandbox.wait(count, DEADLINE_MS, channel))) throw new Error('not all of them arrived');
  await finished(begun);
  return { perSecond: (count / (performance.now() - started)) * 1000, begun };
};

let dispatchers = 0;

/** Starts a dispatcher on what waits; done when all of it is settled. @returns notifications per second */
export const measureDrain = async (
  platform: Platform,
  channel: Channel,
  count: number,
  service = SERVICE,
): Promise<number> => {
  const { perSecond, begun } = await timed(
    platform,
    channel,
    count,
    () => platform.house.start('dispatcher', `dispatcher-${(dispatchers += 1)}`),
    () => untilNone(platform.notifications(service), { status: 'pending' }, 10),
  );
  await untilPublished(platform, service);
  await begun.stop();
  return perSecond;
};

/** The same documents, as they wait, for the floor: in its own database and queue. */
const copyToFloor = async (platform: Platform, count: number): Promise<void> => {
  const copy = platform.mongo.db(platform.floorDatabase).collection('notifications');
  await copy.drop().catch(() => undefined);
  const model = await connect(platform.house.vhost.uri);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue(FLOOR_QUEUE, {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish' },
  });
  await channel.purgeQueue(FLOOR_QUEUE);
  const waiting = await platform.notifications().find({ status: 'pending' }).limit(count).toArray();
  if (waiting.length !== count) throw new Error(`${waiting.length} are waiting instead of ${count}`);
  for (let from = 0; from < count; from += 1_000) {
    const chunk = waiting.slice(from, from + 1_000);
    await copy.insertMany(chunk);
    for (const { _id } of chunk)
      channel.sendToQueue(FLOOR_QUEUE, Buffer.from(JSON.stringify({ notificationId: String(_id) })), {
        persistent: true,
      });
    await channel.waitForConfirms();
  }
  await model.close();
};

const measureFloor = async (platform: Platform, channel: Channel, count: number): Promise<number> => {
  const env = { ...platform.floorEnv, FLOOR_CHANNEL: channel, FLOOR_COUNT: String(count) };
  const { perSecond, begun } = await timed(
    platform,
    channel,
    count,
    () => startFloor('drain', env),
    (floor) => floor.next(),
  );
  await begun.stop();
  return perSecond;
};

const drainOf =
  (bench: string, channel: Channel, reached: (figures: { value: number; ratio: number }) => boolean) =>
  async (options: BenchOptions): Promise<Figure> => {
    const platform = await startPlatform(options);
    const count = options.count ?? 20_000;
    const values: number[] = [];
    const floors: number[] = [];
    for (let turn = 0; turn < options.rounds; turn += 1) {
      await fill(platform, channel, count);
      await copyToFloor(platform, count);
      values.push(await measureDrain(platform, channel, count));
      floors.push(await measureFloor(platform, channel, count));
      options.say(
        `round ${turn + 1}: ${(values.at(-1) ?? 0).toFixed(0)}/s, floor ${(floors.at(-1) ?? 0).toFixed(0)}/s`,
      );
    }
    const figures = compared(values, floors);
    return { bench, ...figures, unit: 'notifications/s', count, reached: reached(figures) };
  };

export const drain = drainOf('drain', 'push', ({ ratio }) => ratio >= 0.5);
export const email = drainOf('email', 'email', ({ ratio, value }) => ratio >= 0.5 && value >= 1_500);
export const single = drainOf('single', 'webhook', ({ ratio }) => ratio >= 0.5);
