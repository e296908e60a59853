import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LimitGrant, LimitRequest } from '#domain/limits';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { Databases } from '../databases.js';
import { counterId, minuteNumber } from './counters.js';
import { limits } from './schema.js';
import { MongoUserLimits } from './user-limits.js';

const MINUTE = 60_000;

describe('user limits', () => {
  let test: TestDatabases;
  let store: MongoUserLimits;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoUserLimits(test.databases);
  });
  afterAll(() => test.drop());

  const minute = new Date(Math.floor(Date.now() / MINUTE) * MINUTE);
  const after = (minutes: number): Date => new Date(minute.getTime() + minutes * MINUTE);
  const request = (key: string, over: Partial<LimitRequest> = {}): LimitRequest => ({
    key,
    at: minute,
    max: 10,
    mode: 'fail',
    ...over,
  });
  const many = (count: number, key: string, over: Partial<LimitRequest> = {}): LimitRequest[] =>
    Array.from({ length: count }, () => request(key, over));
  const granted = (grants: readonly LimitGrant[]): Date[] =>
    grants.flatMap((grant) => (grant.granted ? [grant.minute] : []));
  const perMinute = (grants: readonly LimitGrant[]): number[] =>
    [...Map.groupBy(granted(grants), (at) => at.getTime())].sort(([a], [b]) => a - b).map(([, some]) => some.length);

  it('grants as many as a minute has, in order, and says how long to wait', async () => {
    const now = (): Date => new Date(minute.getTime() + 20_000);
    const key = anId();
    const grants = await new MongoUserLimits(test.databases, now).reserve([...many(12, key), request(anId())]);
    expect(grants.map((grant) => grant.granted)).toEqual([...Array<boolean>(10).fill(true), false, false, true]);
    expect(grants[0]).toEqual({ granted: true, minute });
    expect(grants[11]).toEqual({ granted: false, retryAfterMs: 40_000 });
    expect(granted(await store.reserve([request(key)]))).toEqual([]);
    expect(granted(await store.reserve([request(key, { at: after(1) })]))).toEqual([after(1)]);
    expect(await store.reserve([])).toEqual([]);
    expect(granted(await store.reserve([request(anId(), { max: 0 })]))).toEqual([]);
  });

  it('counts a time within a minute to that minute', async () => {
    const key = anId();
    const [grant] = await store.reserve([request(key, { at: new Date(minute.getTime() + 59_999) })]);
    expect(grant).toEqual({ granted: true, minute });
  });

  it('is exact with three gateways at once', async () => {
    const shared = anId();
    const gateways = [test.another(), test.another(), test.another()].map((one) => new MongoUserLimits(one));
    const rounds = await Promise.all(
      gateways.flatMap((gateway) =>
        Array.from({ length: 8 }, () =>
          gateway.reserve([...many(3, shared, { max: 50 }), ...Array.from({ length: 20 }, () => request(anId()))]),
        ),
      ),
    );
    const ofShared = rounds.flatMap((grants) => grants.slice(0, 3));
    expect(granted(ofShared)).toHaveLength(50);
    expect(granted(rounds.flatMap((grants) => grants.slice(3)))).toHaveLength(3 * 8 * 20);
  });

  it('moves who may wait to the next minutes that have a place', async () => {
    const key = anId();
    await store.reserve(many(7, key));
    await store.reserve(many(10, key, { at: after(1) }));
    const grants = await store.reserve([...many(25, key, { mode: 'wait' }), request(key)]);
    expect(perMinute(grants)).toEqual([3, 10, 10, 2]);
    expect(granted(grants).map((at) => (at.getTime() - minute.getTime()) / MINUTE)).not.toContain(1);
    expect(grants.at(-1)?.granted).toBe(false);
  });

  it('finds places for ten thousand of one user', async () => {
    const grants = await store.reserve(many(10_000, anId(), { mode: 'wait' }));
    expect(perMinute(grants)).toEqual(Array<number>(1000).fill(10));
    expect(new Set(granted(grants).map((at) => at.getTime())).size).toBe(1000);
  });

  it('lets those who wait at the same time take different places', async () => {
    const key = anId();
    const gateways = [test.another(), test.another(), test.another()].map((one) => new MongoUserLimits(one));
    const grants = await Promise.all(gateways.map((one) => one.reserve(many(40, key, { mode: 'wait' }))));
    const all = grants.flat();
    expect(granted(all)).toHaveLength(120);
    expect(Math.max(...perMinute(all))).toBe(10);
  });

  it('refuses who finds no place within a day', async () => {
    const grants = await store.reserve(many(1500, anId(), { mode: 'wait', max: 1 }));
    expect(granted(grants)).toHaveLength(1441);
  });

  /** As many minutes, from the present one on, are full but for some that have one place. */
  const filled = (key: string, minutes: number, holes: readonly number[] = []): Promise<unknown> =>
    test.databases.inControl(limits, (collection) =>
      collection.insertMany(
        Array.from({ length: minutes }, (_, ahead) => ({
          _id: counterId(key, minuteNumber(after(ahead))),
          taken: holes.includes(ahead) ? 9 : 10,
          grants: [],
        })),
      ),
    );

  it.each([1, 8, 9, 24, 25, 1016, 1017, 1440])('finds the first place %i minutes ahead', async (ahead) => {
    const key = anId();
    await filled(key, ahead);
    expect(granted(await store.reserve([request(key, { mode: 'wait' })]))).toEqual([after(ahead)]);
  });

  it('looks no further than a day', async () => {
    const key = anId();
    await filled(key, 1441);
    expect(granted(await store.reserve(many(2, key, { mode: 'wait' })))).toEqual([]);
  });

  it('finds places that lie far from each other, in order', async () => {
    const key = anId();
    await filled(key, 1300, [7, 8, 9, 300, 1299]);
    const grants = await store.reserve(many(6, key, { mode: 'wait' }));
    expect(granted(grants)).toEqual([7, 8, 9, 300, 1299, 1300].map(after));
  });

  it('looks ahead for each from its own minute', async () => {
    const key = anId();
    await filled(key, 31);
    await store.reserve(many(10, key, { at: after(700) }));
    const grants = await store.reserve([2, 30, 700].map((ahead) => request(key, { at: after(ahead), mode: 'wait' })));
    expect(granted(grants)).toEqual([31, 31, 701].map(after));
  });

  /** How many counters each query of `work` asks for. */
  const askedBy = async (work: () => Promise<unknown>): Promise<number[]> => {
    const client = (await test.databases.connection()).getClient();
    const asked: number[] = [];
    const listen = ({ commandName, command }: { commandName: string; command: object }): void => {
      const { filter } = command as { filter?: { _id: { $in: string[] } } };
      if (commandName === 'find') asked.push(filter?._id.$in.length ?? Infinity);
    };
    client.on('commandStarted', listen);
    await work().finally(() => client.off('commandStarted', listen));
    return asked;
  };

  it('looks far ahead only for those who find nothing nearby, and for so many at once', async () => {
    const [far, ...near] = Array.from({ length: 1500 }, () => anId());
    await filled(far ?? '', 30);
    await store.reserve(near.map((key) => request(key, { max: 1 })));
    const requests = [far ?? '', ...near].map((key) => request(key, { max: 1, mode: 'wait' }));
    let grants: LimitGrant[] = [];
    const another = new MongoUserLimits(test.databases);
    const asked = await askedBy(async () => (grants = await another.reserve(requests)));
    // Who got a place in the present minute, then where there is one ahead.
    expect(asked).toEqual([1500, 10_000, 2_000, 16, 32]);
    expect(granted(grants)).toEqual([after(30), ...near.map(() => after(1))]);
  });

  it('looks for nothing where no minute has a place', async () => {
    const asked = await askedBy(() => store.reserve(many(3, anId(), { mode: 'wait', max: 0 })));
    expect(asked).toEqual([]);
  });

  it('takes back what was not needed', async () => {
    const key = anId();
    await store.reserve(many(10, key));
    await store.release([
      { key, minute },
      { key, minute },
      { key: anId(), minute },
    ]);
    expect(granted(await store.reserve(many(5, key)))).toHaveLength(2);
    await store.release([]);
  });

  it('begins anew with a counter that was removed', async () => {
    const [removed, kept] = [anId(), anId()];
    await store.reserve([...many(10, removed), ...many(9, kept)]);
    await test.databases.inControl(limits, (collection) =>
      collection.deleteOne({ _id: counterId(removed, minuteNumber(minute)) }),
    );
    const grants = await store.reserve([...many(12, removed), ...many(2, kept), request(anId())]);
    expect(granted(grants.slice(0, 12))).toHaveLength(10);
    expect(granted(grants.slice(12, 14))).toHaveLength(1);
    expect(grants[14]?.granted).toBe(true);
  });

  it('grants no place twice where an answer was lost', async () => {
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    const [fresh, known] = [anId(), anId()];
    await store.reserve(many(4, known));
    const count = (key: string): Promise<number> =>
      test.databases.inControl(limits, async (collection) => {
        const one = await collection.findOne({ _id: counterId(key, minuteNumber(minute)) });
        return one?.taken ?? 0;
      });
    try {
      await behind.ping();
      const remote = new MongoUserLimits(behind);
      const first = await proxy.losingAnswers(
        () => remote.reserve(many(6, fresh)),
        async () => (await count(fresh)) > 0,
      );
      expect(granted(first)).toHaveLength(6);
      expect(await count(fresh)).toBe(6);
      expect(granted(await remote.reserve(many(1, known)))).toHaveLength(1);
      const second = await proxy.losingAnswers(
        () => remote.reserve(many(3, known)),
        async () => (await count(known)) > 5,
      );
      expect(granted(second)).toHaveLength(3);
      expect(await count(known)).toBe(8);
      expect(granted(await remote.reserve(many(8, known)))).toHaveLength(2);
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('wastes what it cannot give back', async () => {
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    try {
      proxy.cut();
      await new MongoUserLimits(behind).release([{ key: anId(), minute }]);
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('asks indexes alone', async () => {
    const key = anId();
    const plans = await test.plansOf(async () => {
      await store.reserve(many(30, key, { mode: 'wait' }));
      await store.reserve(many(30, key, { mode: 'wait' }));
      await store.release([{ key, minute }]);
    });
    expect(new Set(plans.flatMap(({ indexes }) => indexes))).toEqual(new Set(['_id_']));
  });
});
