import { randomBytes } from 'node:crypto';
import { mongo } from 'mongoose';
import { acceptedSample, measureAccept } from './accept.js';
import { fill, measureDrain } from './drain.js';
import { compared, type Figure } from './figure.js';
import type { BenchOptions } from './options.js';
import { notificationFor, type Platform, startPlatform } from './platform.js';

/** One service whose database is nearly empty, and one that has been in use for long. */
const SMALL = 'diabetes';
const LARGE = 'wellness';
const SMALL_COUNT = 10_000;
const LARGE_COUNT = 500_000;
const DRAINED = 10_000;
const RETENTION_MS = 80 * 86_400_000;

/** So many that were sent within the last 80 days, as the product leaves them; all indexes are there. */
const load = async (platform: Platform, service: string, count: number, sample: mongo.Document): Promise<void> => {
  const collection = platform.notifications(service);
  const size = 2_000;
  for (let from = 0; from < count; from += size)
    await collection.insertMany(
      Array.from({ length: Math.min(size, count - from) }, (_, index) => {
        const number = from + index;
        const at = new Date(Date.now() - Math.floor((RETENTION_MS * (count - number)) / count));
        const _id = mongo.ObjectId.createFromTime(Math.floor(at.getTime() / 1000))
          .toHexString()
          .slice(0, 8);
        const { userId, reference } = notificationFor(number, 'push', '', service);
        return {
          ...sample,
          _id: mongo.ObjectId.createFromHexString(_id + randomBytes(8).toString('hex')),
          serviceName: service,
          userId,
          reference,
          createdAt: at,
          updatedAt: at,
          sentAt: at,
          idempotency: {
            scope: randomBytes(32).toString('base64url'),
            fingerprint: randomBytes(32).toString('base64url'),
          },
        };
      }),
      { ordered: false },
    );
};

/** Accepting and draining in a database that is full of past notifications, against one that is not. */
export const backlog = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options);
  const large = options.count ?? LARGE_COUNT;
  const small = Math.min(SMALL_COUNT, Math.ceil(large / 10));
  const drained = Math.min(DRAINED, large);
  const seconds = options.seconds ?? 5;
  await fill(platform, 'push', 200, SMALL);
  await measureDrain(platform, 'push', 200, SMALL);
  const sample = mongo.BSON.EJSON.parse(await acceptedSample(platform), { relaxed: false }) as mongo.Document;
  options.say(`loading ${small} and ${large} documents`);
  await load(platform, SMALL, small, sample);
  await load(platform, LARGE, large, sample);

  const measured = {
    accept: { [SMALL]: [] as number[], [LARGE]: [] as number[] },
    drain: { [SMALL]: [] as number[], [LARGE]: [] as number[] },
  };
  for (let turn = 0; turn < options.rounds; turn += 1)
    for (const service of [SMALL, LARGE] as const) {
      measured.accept[service]?.push((await measureAccept(platform, seconds, service)).perSecond);
      await emptied(platform, service);
      await fill(platform, 'push', drained, service);
      measured.drain[service]?.push(await measureDrain(platform, 'push', drained, service));
      options.say(
        `round ${turn + 1}, ${service === LARGE ? large : small} documents: accept ${(measured.accept[service]?.at(-1) ?? 0).toFixed(0)}/s, drain ${(measured.drain[service]?.at(-1) ?? 0).toFixed(0)}/s`,
      );
    }
  const accept = compared(measured.accept[LARGE] ?? [], measured.accept[SMALL] ?? []);
  const drain = compared(measured.drain[LARGE] ?? [], measured.drain[SMALL] ?? []);
  const ratio = Math.min(accept.ratio, drain.ratio);
  return {
    bench: 'backlog',
    ...accept,
    unit: 'requests/s',
    ratio,
    documents: large,
    accept,
    drain,
    reached: ratio >= 0.85,
  };
};

/** Delivers what accepting left waiting. */
const emptied = async (platform: Platform, service: string): Promise<void> => {
  const waiting = await platform.notifications(service).countDocuments({ status: 'pending' });
  await measureDrain(platform, 'push', waiting, service);
};
