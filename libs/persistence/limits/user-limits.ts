import type { mongo } from 'mongoose';
import type { LimitGrant, LimitRequest, UserLimits } from '#domain/limits';
import { Unavailable } from '#domain/errors';
import type { Databases } from '../databases.js';
import { counterId, giveBack, KnownCounters, minuteDate, minuteNumber, take, type Want } from './counters.js';
import { type LimitDocument, limits } from './schema.js';

const MINUTE_MS = 60_000;
/** How far ahead a place is looked for. */
const HORIZON_MINUTES = 24 * 60;
/** Times that places are planned anew because others took them meanwhile. */
const MAX_ROUNDS = 20;

interface Open {
  index: number;
  request: LimitRequest;
  minute: number;
}

export class MongoUserLimits implements UserLimits {
  private readonly known = new KnownCounters();

  constructor(
    private readonly databases: Databases,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async reserve(requests: readonly LimitRequest[]): Promise<LimitGrant[]> {
    const grants = requests.map((request) => this.refusal(request.at));
    if (requests.length === 0) return grants;
    await this.databases.inControl(limits, async (collection) => {
      let open = requests.map((request, index) => ({ index, request, minute: minuteNumber(request.at) }));
      for (let round = 0; open.length > 0 && round < MAX_ROUNDS; round += 1) {
        const left = grantFrom(await take(collection, wantsOf(open), this.known), open, grants);
        open = await moveOn(
          collection,
          left.filter(({ request }) => request.mode === 'wait'),
        );
      }
    });
    return grants;
  }

  async release(places: readonly { key: string; minute: Date }[]): Promise<void> {
    const counts = new Map<string, number>();
    for (const { key, minute } of places) {
      const id = counterId(key, minuteNumber(minute));
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    try {
      await this.databases.inControl(limits, (collection) => giveBack(collection, counts));
    } catch (error) {
      // A place is wasted for a minute.
      if (!(error instanceof Unavailable)) throw error;
    }
  }

  private refusal(at: Date): LimitGrant {
    const end = minuteDate(minuteNumber(at) + 1).getTime();
    return { granted: false, retryAfterMs: Math.min(MINUTE_MS, Math.max(0, end - this.now().getTime())) };
  }
}

/** Requests of one key in one minute are one want; where they differ in their maximum, the lowest holds. */
const wantsOf = (open: readonly Open[]): Map<string, Want> => {
  const wants = new Map<string, Want>();
  for (const { request, minute } of open) {
    const id = counterId(request.key, minute);
    const want = wants.get(id);
    if (want === undefined) wants.set(id, { minute, count: 1, max: request.max });
    else wants.set(id, { minute, count: want.count + 1, max: Math.min(want.max, request.max) });
  }
  return wants;
};

/** Hands out what was granted, first come first served; answers who is left. */
const grantFrom = (granted: Map<string, number>, open: readonly Open[], grants: LimitGrant[]): Open[] =>
  open.filter(({ index, request, minute }) => {
    const id = counterId(request.key, minute);
    const places = granted.get(id) ?? 0;
    if (places === 0) return true;
    granted.set(id, places - 1);
    grants[index] = { granted: true, minute: minuteDate(minute) };
    return false;
  });

/** Plans each one into the next minute that seems to have a place; who finds none within the horizon is dropped. */
const moveOn = async (collection: mongo.Collection<LimitDocument>, left: readonly Open[]): Promise<Open[]> => {
  const keys = Map.groupBy(left, ({ request }) => request.key);
  if (keys.size === 0) return [];
  const firstOf = (waiting: readonly Open[]): number => Math.min(...waiting.map(({ minute }) => minute)) + 1;
  const counters = await collection
    .find(
      {
        $or: [...keys].map(([key, waiting]) => ({
          _id: {
            $gte: counterId(key, firstOf(waiting)),
            $lt: counterId(key, firstOf(waiting) + HORIZON_MINUTES),
          },
        })),
      },
      { projection: { taken: 1 }, batchSize: 10_000 },
    )
    .toArray();
  const taken = new Map(counters.map((counter) => [counter._id, counter.taken]));
  return [...keys].flatMap(([key, waiting]) => {
    const end = firstOf(waiting) + HORIZON_MINUTES;
    let next = firstOf(waiting);
    return waiting.flatMap((one) => {
      next = Math.max(next, one.minute + 1);
      while (next < end && (taken.get(counterId(key, next)) ?? 0) >= one.request.max) next += 1;
      if (next >= end) return [];
      const id = counterId(key, next);
      taken.set(id, (taken.get(id) ?? 0) + 1);
      return [{ ...one, minute: next }];
    });
  });
};
