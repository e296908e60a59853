import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Notification } from '#domain/notification';
import { accepted, aSettlement, anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoAcceptStore } from './accept-store.js';
import { MongoDeliveryStore } from './delivery-store.js';
import { MongoGroupStore } from './group-store.js';

describe('group store', () => {
  let test: TestDatabases;
  let store: MongoGroupStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoGroupStore(test.databases);
  });
  afterAll(() => test.drop());

  const insert = async (mode: 'all' | 'fallback', over: Partial<Notification> = {}): Promise<Notification> => {
    const group = { mode, position: 0, fallbackAfterSeconds: null, skipped: [] };
    const entry = accepted({ groupId: anId(), group, ...over });
    await new MongoAcceptStore(test.databases).insertAccepted([entry]);
    return entry.notification;
  };

  it('looks for a group in the services that are named', async () => {
    const { groupId, id } = await insert('all', { serviceName: 'diabetes' });
    expect((await store.findGroup(groupId ?? '', ['test', 'diabetes'])).map((one) => one.id)).toEqual([id]);
    expect(await store.findGroup(groupId ?? '', ['test', 'nobody'])).toEqual([]);
  });

  it('hears of what a dispatcher settles, and not of what waits, or of groups for all', async () => {
    const deliveries = new MongoDeliveryStore(test.databases);
    const [one, waits, all] = [await insert('fallback'), await insert('fallback'), await insert('all')];
    const ids = [one.id, waits.id, all.id];
    const claimed = await deliveries.claim({ serviceName: 'test', ids, token: 't', leaseMs: 60_000 });
    const held = await deliveries.settle(
      claimed.map((notification) =>
        notification.id === waits.id
          ? aSettlement(notification, {
              state: 'approved',
              status: 'pending',
              wait: { rung: 1, variant: 1, ms: 1000, reason: 'retry', until: null },
            })
          : aSettlement(notification),
      ),
    );
    expect(held).toEqual([true, true, true]);
    expect(await store.groupsDue('test', 10)).toEqual([one.groupId]);
  });

  it('reads by indexes', async () => {
    const plans = await test.plansOf(async () => {
      await store.ofGroup('test', anId());
      await store.groupsDue('test', 5);
      await store.lookedAt('test', [{ id: anId(), version: 1, lookAgainAt: null }]);
    });
    expect(plans.map(({ indexes }) => indexes)).toEqual([['group'], ['groups_due'], ['_id_']]);
  });
});
