import type { mongo } from 'mongoose';
import type { LimitGrant, LimitRequest, UserLimits } from '#domain/limits';
import { Unavailable } from '#domain/errors';
import type { Databases } from '../databases.js';
import { counterId, giveBack, KnownCounters, minuteDate, minuteNumber, take, type Want } from './counters.js';
import { type LimitDocument, limits } from './schema.js';

const MINUTE_MS = 60_000;
/** How far ahead a place is looked for. */
const HORIZON_MINUTES = 24 * 60;
/** Minutes that are looked at first; each time after, twice as many. */
const FIRST_WINDOW = 8;
/** Counters that one query asks for. */
const MAX_IDS = 10_000;
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
    if (want === undefined) wants.set(id, { count: 1, max: request.max });
    else wants.set(id, { count: want.count + 1, max: Math.min(want.max, request.max) });
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

/** One key, and who of it looks for a place. */
interface Search {
  key: string;
  /** Where its horizon begins. */
  first: number;
  /** No earlier minute has a place. */
  next: number;
  waiting: Open[];
}

/**
 * Plans each one into the next minute that seems to have a place; who finds none within the horizon is dropped. Most
 * find one nearby: it is looked for in windows that grow, each only for those who found none in the one before.
 */
const moveOn = async (collection: mongo.Collection<LimitDocument>, left: readonly Open[]): Promise<Open[]> => {
  // Where the maximum is none, no minute has a place.
  const open = left.filter(({ request }) => request.max > 0);
  let searches = [...Map.groupBy(open, ({ request }) => request.key)].map(([key, waiting]): Search => {
    const first = Math.min(...waiting.map(({ minute }) => minute)) + 1;
    return { key, first, next: first, waiting };
  });
  const planned: Open[] = [];
  let from = 0;
  for (let length = FIRST_WINDOW; searches.length > 0 && from < HORIZON_MINUTES; length *= 2) {
    const to = Math.min(from + length, HORIZON_MINUTES);
    const taken = await takenOf(collection, idsOf(searches, from, to));
    for (const search of searches) planned.push(...placed(search, search.first + to, taken));
    searches = searches.filter(({ waiting }) => waiting.length > 0);
    from = to;
  }
  return planned;
};

/** Counters of a window, minutes counted from where the horizon of each begins. */
const idsOf = (searches: readonly Search[], from: number, to: number): string[] =>
  searches.flatMap(({ key, first }) =>
    Array.from({ length: to - from }, (_, offset) => counterId(key, first + from + offset)),
  );

/** Places taken, by counter; one that is missing has given none. */
const takenOf = async (
  collection: mongo.Collection<LimitDocument>,
  ids: readonly string[],
): Promise<Map<string, number>> => {
  const taken = new Map<string, number>();
  for (let from = 0; from < ids.length; from += MAX_IDS) {
    const some = ids.slice(from, from + MAX_IDS);
    const counters = await collection
      .find({ _id: { $in: some } }, { projection: { taken: 1 }, batchSize: some.length + 1 })
      .toArray();
    for (const { _id, taken: count } of counters) taken.set(_id, count);
  }
  return taken;
};

/** Takes those off the search, first come first served, who find a place before `end`. */
const placed = (search: Search, end: number, taken: Map<string, number>): Open[] => {
  const found: Open[] = [];
  for (const one of search.waiting) {
    search.next = Math.max(search.next, one.minute + 1);
    while (search.next < end && (taken.get(counterId(search.key, search.next)) ?? 0) >= one.request.max)
      search.next += 1;
    if (search.next >= end) break;
    const id = counterId(search.key, search.next);
    taken.set(id, (taken.get(id) ?? 0) + 1);
    found.push({ ...one, minute: search.next });
  }
  search.waiting = search.waiting.slice(found.length);
  return found;
};
