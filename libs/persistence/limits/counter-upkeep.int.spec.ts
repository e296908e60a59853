import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoCounterUpkeep } from './counter-upkeep.js';
import { limits } from './schema.js';
import { MongoUserLimits } from './user-limits.js';

const MINUTE = 60_000;
const DAY = 24 * 60;

describe('counters of minutes that are over', () => {
  let test: TestDatabases;
  let upkeep: MongoCounterUpkeep;
  let gateway: MongoUserLimits;
  beforeAll(async () => {
    test = await openTestDatabases();
    upkeep = new MongoCounterUpkeep(test.databases);
    gateway = new MongoUserLimits(test.databases);
  });
  beforeEach(() => test.databases.inControl(limits, (collection) => collection.deleteMany({})));
  afterAll(() => test.drop());

  /** In the middle of a minute. */
  const at = new Date('2026-11-21T08:00:30.000Z');
  const begins = (minutes: number): Date => new Date(at.getTime() - MINUTE / 2 + minutes * MINUTE);
  const take = (minutes: number, ...keys: string[]) =>
    gateway.reserve(keys.map((key) => ({ key, at: begins(minutes), max: 10, mode: 'fail' })));
  const keysLeft = async (): Promise<string[]> => {
    const counters = await test.databases.inControl(limits, (collection) => collection.find().toArray());
    return counters.map(({ _id }) => _id.slice(_id.indexOf('|') + 1)).sort();
  };

  it('are removed; those of the minute that is not over yet stay, and all that lie ahead', async () => {
    await take(-60 * DAY, 'long ago');
    await take(-1, '', 'over', '~');
    await take(0, '', 'begun', '~');
    await take(1, 'next');
    await take(60 * DAY, 'scheduled');
    expect(await upkeep.deleteOver(at, 100, null)).toEqual({ deleted: 4, next: null });
    expect(await keysLeft()).toEqual(['', 'begun', 'next', 'scheduled', '~']);
    expect(await upkeep.deleteOver(at, 100, null)).toEqual({ deleted: 0, next: null });
    expect(await upkeep.deleteOver(begins(1), 100, null)).toEqual({ deleted: 3, next: null });
    expect(await keysLeft()).toEqual(['next', 'scheduled']);
  });

  it('are removed some at a time, the earliest first', async () => {
    await take(-1, 'g', 'f');
    await take(-2, 'c', 'd', 'e');
    await take(-9, 'b', 'a');
    const first = await upkeep.deleteOver(at, 3, null);
    expect(first.deleted).toBe(3);
    await take(-9, 'too late');
    expect(await keysLeft()).toEqual(['d', 'e', 'f', 'g', 'too late']);
    const second = await upkeep.deleteOver(at, 3, first.next);
    expect(second.deleted).toBe(3);
    expect(await keysLeft()).toEqual(['g', 'too late']);
    expect(await upkeep.deleteOver(at, 3, second.next)).toEqual({ deleted: 1, next: null });
    expect(await upkeep.deleteOver(at, 3, null)).toEqual({ deleted: 1, next: null });
  });

  it('are all removed at once where they are just as many', async () => {
    await take(-1, 'a', 'b', 'c');
    expect(await upkeep.deleteOver(at, 3, null)).toEqual({ deleted: 3, next: null });
  });

  it('are found by _id alone', async () => {
    await take(-1, 'a', 'b', 'c');
    const plans = await test.plansOf(async () => {
      const { next } = await upkeep.deleteOver(at, 2, null);
      await upkeep.deleteOver(at, 2, next);
    });
    expect(plans.map(({ command, indexes }) => [command, indexes])).toEqual([
      ['find', ['_id_']],
      ['delete', ['_id_']],
      ['find', ['_id_']],
      ['delete', ['_id_']],
    ]);
  });
});
