import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Unavailable } from '#domain/errors';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { Databases } from './databases.js';
import { createIndexes } from './indexes.js';
import { notifications } from './notifications/schema.js';
import { MongoNotificationStore } from './notifications/notification-store.js';

describe('databases', () => {
  let test: TestDatabases;
  beforeAll(async () => {
    test = await openTestDatabases();
  });
  afterAll(() => test.drop());

  const indexesOf = (databases: Databases): Promise<Record<string, unknown>[]> =>
    databases.inService('diabetes', notifications, (collection) => collection.indexes());

  it('answer, and tell their time', async () => {
    await test.databases.ping();
    expect(Math.abs((await test.databases.now()).getTime() - Date.now())).toBeLessThan(5_000);
  });

  it('have a name for every index, and may be given them again', async () => {
    const before = await indexesOf(test.databases);
    await createIndexes(test.databases);
    expect(await indexesOf(test.databases)).toEqual(before);
    expect(before.map(({ name }) => name).sort()).toEqual(
      [
        '_id_',
        'due',
        'expiry',
        'failures',
        'group',
        'groups_due',
        'idempotency',
        'leases',
        'outbox',
        'reference',
        'retention',
        'sms_receipts',
        'status_service_newest',
        'user_newest',
      ].sort(),
    );
  });

  it('take another retention, and lose no index by it', async () => {
    const longer = new Databases({ ...test.databases.settings, CARILLON_RETENTION_DAYS: 120 });
    await createIndexes(longer);
    const indexes = await indexesOf(longer);
    expect(indexes.find(({ name }) => name === 'retention')).toMatchObject({ expireAfterSeconds: 120 * 86_400 });
    expect(indexes).toHaveLength(14);
    await longer.close();
  });

  it('come into being for configured services alone', async () => {
    await expect(test.databases.inService('nobody', notifications, (one) => one.findOne())).rejects.toThrow(RangeError);
    expect(() => new Databases({ ...test.databases.settings, CARILLON_SERVICES: ['carillon'] })).toThrow(
      'CARILLON_CONTROL_DATABASE',
    );
  });

  it('say that they are unavailable, and come back by themselves', async () => {
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    const store = new MongoNotificationStore(behind);
    try {
      proxy.cut();
      await expect(behind.ping()).rejects.toThrow(Unavailable);
      proxy.restore();
      await behind.ping();
      proxy.cut();
      await expect(store.find('0123456789abcdef01234567', ['test'])).rejects.toThrow(Unavailable);
      proxy.restore();
      expect(await store.find('0123456789abcdef01234567', ['test'])).toBeNull();
    } finally {
      await behind.close();
      await proxy.close();
    }
  });
});
