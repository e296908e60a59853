import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMIT_KINDS, type LimitKind } from '#contracts/vocabulary';
import type { LimitRule } from '#domain/places';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { Databases } from '../databases.js';
import { MongoPlaces, type PlaceGrant, limitPlaces } from './places.js';

const HOUR = 3_600_000;
const ruleOf = (kind: LimitKind, max = 50, periodMs = HOUR): LimitRule => ({ kind, max, periodMs });
const granted = (grants: readonly PlaceGrant[]): number[] =>
  grants.flatMap((grant) => (grant.granted ? [grant.at.getTime()] : [])).sort((a, b) => a - b);

describe('places of limits', () => {
  let test: TestDatabases;
  beforeAll(async () => {
    test = await openTestDatabases();
  });
  afterAll(() => test.drop());

  /** In the middle of an hour of the clock. */
  const now = (Math.floor(Date.now() / HOUR) + 0.5) * HOUR;
  const store = (databases = test.databases, at = now): MongoPlaces => new MongoPlaces(databases, () => at);
  const many = (places: MongoPlaces, key: string, count: number, rule: LimitRule, mode: 'fail' | 'wait' = 'fail') =>
    Promise.all(Array.from({ length: count }, () => places.reserve(key, { rule, mode })));
  const versionOf = async (key: string): Promise<number> =>
    (await test.databases.inControl(limitPlaces, (collection) => collection.findOne({ _id: key })))?.version ?? 0;

  it.each(LIMIT_KINDS)('are exact with three processes at once: %s', async (kind) => {
    const [key, rule] = [anId(), ruleOf(kind)];
    const processes = [test.another(), test.another(), test.another()].map((one) => store(one));
    const grants = await Promise.all(
      processes.flatMap((one) => Array.from({ length: 8 }, () => many(one, key, 5, rule))),
    );
    expect(granted(grants.flat())).toEqual(Array<number>(50).fill(now));
    expect(grants.flat().filter((grant) => !grant.granted)).toHaveLength(70);
  });

  it.each(LIMIT_KINDS)('that lie ahead are as one process alone would give them: %s', async (kind) => {
    const [key, rule] = [anId(), ruleOf(kind, 20)];
    const processes = [test.another(), test.another(), test.another()].map((one) => store(one));
    const grants = await Promise.all(processes.map((one) => many(one, key, 40, rule, 'wait')));
    const alone = await many(store(), anId(), 120, rule, 'wait');
    expect(granted(grants.flat())).toEqual(granted(alone));
  });

  it('are reserved in one write for all that want them at the same time', async () => {
    const key = anId();
    await many(store(), key, 500, ruleOf('token-bucket'), 'wait');
    expect(await versionOf(key)).toBe(1);
  });

  it('cost no write when there are none left', async () => {
    const [key, rule, places] = [anId(), ruleOf('fixed-window'), store()];
    await many(places, key, 50, rule);
    const plans = await test.plansOf(async () => {
      const refused = await many(places, key, 3, rule);
      expect(refused).toEqual(Array(3).fill({ granted: false, retryAfterMs: HOUR / 2 }));
    });
    expect(plans).toEqual([]);
    expect(await versionOf(key)).toBe(1);
  });

  it('are not reserved beyond 60 days', async () => {
    const grants = await many(store(), anId(), 3, ruleOf('fixed-window', 1, 40 * 24 * HOUR), 'wait');
    expect(grants.map((grant) => grant.granted)).toEqual([true, true, false]);
  });

  it('follow a rule that is changed between two of one batch', async () => {
    const [key, places] = [anId(), store()];
    const wishes = [ruleOf('fixed-window', 1), ruleOf('fixed-window', 3)].flatMap((rule) =>
      Array.from({ length: 3 }, () => places.reserve(key, { rule, mode: 'fail' })),
    );
    expect((await Promise.all(wishes)).map((grant) => grant.granted)).toEqual([true, false, false, true, true, false]);
  });

  it('are given out once where an answer was lost', async () => {
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    const [key, rule] = [anId(), ruleOf('fixed-window')];
    try {
      const remote = store(behind);
      expect(granted(await many(remote, key, 5, rule))).toHaveLength(5);
      const first = await proxy.losingAnswers(
        () => many(remote, key, 30, rule),
        async () => (await versionOf(key)) > 1,
      );
      expect(granted(first)).toHaveLength(30);
      expect(granted(await many(remote, key, 30, rule))).toHaveLength(15);
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('are found by _id alone', async () => {
    const [key, places] = [anId(), store()];
    const plans = await test.plansOf(async () => {
      await many(places, key, 2, ruleOf('sliding-window'));
      await many(places, key, 2, ruleOf('sliding-window'));
    });
    expect(new Set(plans.flatMap(({ indexes }) => indexes))).toEqual(new Set(['_id_']));
  });
});
