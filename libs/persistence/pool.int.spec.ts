import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { Databases } from './databases.js';

describe('the pool of connections', () => {
  let test: TestDatabases;
  beforeAll(async () => {
    test = await openTestDatabases();
  });
  afterAll(() => test.drop());

  it('tells how many are open and in use, and who waits', async () => {
    const databases = new Databases({ ...test.databases.settings, MONGODB_POOL_SIZE: 2 });
    expect(databases.pool).toEqual({ open: 0, inUse: 0, waiting: 0 });
    await databases.ping();
    let busy = true;
    const most = { open: 0, inUse: 0, waiting: 0 };
    const pings = Promise.all(Array.from({ length: 20 }, () => databases.ping())).finally(() => (busy = false));
    while (busy) {
      const { open, inUse, waiting } = databases.pool;
      most.open = Math.max(most.open, open);
      most.inUse = Math.max(most.inUse, inUse);
      most.waiting = Math.max(most.waiting, waiting);
      await turn();
    }
    await pings;
    expect(most).toMatchObject({ open: 2, inUse: 2 });
    expect(most.waiting).toBeGreaterThanOrEqual(1);
    expect(most.waiting).toBeLessThanOrEqual(20);
    expect(databases.pool).toEqual({ open: 2, inUse: 0, waiting: 0 });
    await databases.close();
    expect(databases.pool.open).toBe(0);
  });

  it('leaves it to the first use to say that an address makes no sense', async () => {
    const databases = new Databases({ ...test.databases.settings, MONGODB_URI: 'mongodb://:x:y:z' });
    await expect(databases.ping()).rejects.toThrow();
    expect(databases.pool).toEqual({ open: 0, inUse: 0, waiting: 0 });
  });
});
