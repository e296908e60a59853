import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Outbox } from '#domain/accepted';
import type { ErrorClass } from '#contracts/vocabulary';
import type { Notification, NotificationError } from '#domain/notification';
import { accepted, anOutbox } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoAcceptStore } from './accept-store.js';
import { MongoDeliveryStore } from './delivery-store.js';
import { MongoOutboxStore } from './outbox-store.js';
import { notifications } from './schema.js';
import { MongoUpkeepStore } from './upkeep-store.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const ago = (ms: number): Date => new Date(Date.now() - ms);
const ahead = (ms: number): Date => new Date(Date.now() + ms);

describe('upkeep store and outbox store', () => {
  let test: TestDatabases;
  let store: MongoUpkeepStore;
  let outbox: MongoOutboxStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoUpkeepStore(test.databases);
    outbox = new MongoOutboxStore(test.databases);
  });
  beforeEach(() => test.databases.inService('test', notifications, (collection) => collection.deleteMany({})));
  afterAll(() => test.drop());

  const insert = async (over: Partial<Notification> = {}, owed: Outbox | null = null): Promise<Notification> => {
    const entry = accepted(over, null, owed);
    await new MongoAcceptStore(test.databases).insertAccepted([entry]);
    return entry.notification;
  };
  const ids = (found: readonly Notification[]): string[] => found.map(({ id }) => id);
  const error = (errorClass: ErrorClass): NotificationError => ({
    code: 'c',
    class: errorClass,
    message: 'm',
    at: new Date(),
  });

  it('finds what is owed by now, oldest first', async () => {
    const second = await insert({}, anOutbox({ at: ago(1_000) }));
    const first = await insert({}, anOutbox({ at: ago(2_000), previousStatus: 'failed' }));
    await insert({}, anOutbox({ at: ahead(MINUTE) }));
    await insert();
    const owed = await store.findOwed('test', 10);
    expect(owed.map(({ notification }) => notification)).toEqual([first, second]);
    expect(owed[0]?.outbox).toMatchObject({ wake: true, previousStatus: 'failed' });
    expect(await store.findOwed('test', 1)).toHaveLength(1);
  });

  it('forgets what was told, where it is still what was told', async () => {
    const told = await insert({}, anOutbox({ at: ago(3_000) }));
    const other = await insert({ version: 7 }, anOutbox({ at: ago(2_000) }));
    const changed = await insert({ version: 2 }, anOutbox({ at: ago(1_000) }));
    await outbox.clearOutbox('test', [
      { id: told.id, version: 1 },
      { id: other.id, version: 7 },
      { id: changed.id, version: 1 },
      { id: 'no id', version: 1 },
    ]);
    expect(ids((await store.findOwed('test', 10)).map(({ notification }) => notification))).toEqual([changed.id]);
  });

  it('leaves a wake to the time when it is due', async () => {
    const due = ago(1_000);
    const scheduled = await insert({ nextAttemptAt: due }, anOutbox({ at: ahead(MINUTE) }));
    const changed = await insert({ nextAttemptAt: due, version: 2 }, anOutbox({ at: ahead(MINUTE) }));
    await outbox.deferWake('test', [
      { id: scheduled.id, version: 1 },
      { id: changed.id, version: 1 },
    ]);
    const owed = await store.findOwed('test', 10);
    expect(owed).toEqual([
      {
        notification: scheduled,
        outbox: { at: due, wake: true, status: false, previousStatus: null, deadLetter: false },
      },
    ]);
  });

  it('wakes again what is overdue in a lane and owes nothing', async () => {
    const oldest = ago(10 * MINUTE);
    const lost = await insert({ nextAttemptAt: oldest });
    const late = await insert({ nextAttemptAt: ago(2 * MINUTE) });
    await insert({ nextAttemptAt: ago(20 * MINUTE) }, anOutbox());
    await insert({ nextAttemptAt: ago(20 * MINUTE), state: 'sending' });
    await insert({ nextAttemptAt: ago(20 * MINUTE), lane: 'bulk' });
    await insert({ nextAttemptAt: ahead(MINUTE), lane: 'urgent' });
    expect(await store.oldestWaiting('test', 'push', 'normal', new Date())).toEqual(oldest);
    expect(await store.oldestWaiting('test', 'push', 'urgent', new Date())).toBeNull();
    expect(await store.oweWakeAgain('test', 'push', 'normal', ago(MINUTE), 1)).toBe(1);
    expect(await store.oweWakeAgain('test', 'push', 'normal', ago(MINUTE), 10)).toBe(1);
    expect(await store.oweWakeAgain('test', 'push', 'normal', ago(MINUTE), 10)).toBe(0);
    expect(await store.oldestWaiting('test', 'push', 'normal', new Date())).toBeNull();
    const owed = await store.findOwed('test', 10);
    expect(new Set(ids(owed.map(({ notification }) => notification)))).toEqual(new Set([lost.id, late.id]));
    expect(owed[0]?.outbox).toMatchObject({ wake: true, status: false, deadLetter: false });
  });

  it('finds what stands under the lease of a claim', async () => {
    const lease = { token: 'claim-1', until: ago(10_000) };
    const sent = await insert({ state: 'sent', lease });
    const taken = await insert({ state: 'sending', lease: { ...lease, token: 'claim-2' } });
    await insert({ state: 'sent', lease });
    const claim = { token: 'claim-1', serviceName: 'test', ids: [sent.id, taken.id] };
    expect(ids(await store.claimedUnder(claim))).toEqual([sent.id]);
  });

  it('finds leases that ended, once the grace is over', async () => {
    const lost = await insert({ state: 'sending', lease: { token: 't', until: ago(10_000) } });
    await insert({ state: 'sending', lease: { token: 't', until: ahead(10_000) } });
    await insert({ state: 'sent', lease: { token: 't', until: ago(10_000) } });
    expect(ids(await store.findStale('test', 5_000, 10))).toEqual([lost.id]);
    expect(await store.findStale('test', 20_000, 10)).toEqual([]);
    expect((await store.findStale('test', 0, 10))[0]?.lease?.token).toBe('t');
  });

  it('finds what has expired, or is open for too long', async () => {
    const past = await insert({ expiresAt: ago(1_000), createdAt: ago(MINUTE) });
    const draft = await insert({ state: 'draft', expiresAt: ago(1_000), createdAt: ago(2 * MINUTE) });
    const old = await insert({ createdAt: ago(81 * DAY) });
    const unresolved = await insert({ state: 'uncertain', createdAt: ago(82 * DAY), expiresAt: ago(DAY) });
    await insert({ expiresAt: ahead(MINUTE) });
    await insert({ state: 'uncertain', expiresAt: ago(1_000) });
    await insert({ state: 'sending', expiresAt: ago(1_000), createdAt: ago(81 * DAY) });
    await insert({ state: 'sent', expiresAt: ago(1_000), createdAt: ago(81 * DAY) });
    expect(ids(await store.findExpirable('test', ago(80 * DAY), 10))).toEqual([
      unresolved.id,
      old.id,
      draft.id,
      past.id,
    ]);
    expect(await store.findExpirable('test', ago(80 * DAY), 2)).toHaveLength(2);
  });

  it('finds failures that wait for their one automatic retry', async () => {
    const failed = { state: 'failed' as const, lastError: error('provider') };
    const second = await insert({ ...failed, failedAt: ago(2 * 3_600_000) });
    const first = await insert({ ...failed, failedAt: ago(3 * 3_600_000), lastError: error('credentials') });
    await insert({ ...failed, failedAt: ago(MINUTE) });
    await insert({ ...failed, failedAt: ago(3 * 3_600_000), round: 2 });
    await insert({ ...failed, failedAt: ago(3 * 3_600_000), retryForbidden: true });
    await insert({ ...failed, failedAt: ago(3 * 3_600_000), lastError: error('recipient') });
    await insert({ state: 'expired', failedAt: ago(3 * 3_600_000), lastError: error('provider') });
    expect(ids(await store.findFailedNotificationsOlderThan('test', 1, 10))).toEqual([first.id, second.id]);
    expect(await store.findFailedNotificationsOlderThan('test', 2.5, 10)).toHaveLength(1);
  });

  it('deletes what is final and old', async () => {
    await insert({ state: 'sent', createdAt: ago(91 * DAY) });
    await insert({ state: 'failed', createdAt: ago(92 * DAY) });
    await insert({ state: 'rejected', createdAt: ago(93 * DAY) });
    await insert({ state: 'uncertain', createdAt: ago(91 * DAY) });
    await insert({ state: 'sent', createdAt: ago(89 * DAY) });
    expect(await store.deleteFinalBefore('test', ago(90 * DAY), 2)).toBe(2);
    expect(await store.deleteFinalBefore('test', ago(90 * DAY), 2)).toBe(1);
    expect(await store.deleteFinalBefore('test', ago(90 * DAY), 2)).toBe(0);
    expect(await test.databases.inService('test', notifications, (one) => one.countDocuments())).toBe(2);
  });

  it('asks indexes alone', async () => {
    const one = await insert({ state: 'sent', createdAt: ago(91 * DAY) });
    await insert({ nextAttemptAt: ago(MINUTE) });
    const told = [{ id: one.id, version: 1 }];
    const plans = await test.plansOf(async () => {
      await store.findOwed('test', 10);
      await store.nextOwedInMs('test', 3_000);
      await store.oldestWaiting('test', 'push', 'normal', new Date());
      await store.oweWakeAgain('test', 'push', 'normal', new Date(), 10);
      await store.findStale('test', 0, 10);
      await store.claimedUnder({ token: 't', serviceName: 'test', ids: [one.id] });
      await store.findFailedNotificationsOlderThan('test', 1, 10);
      await store.countFinalBefore('test', ago(90 * DAY), 10);
      await store.deleteFinalBefore('test', ago(90 * DAY), 10);
      await outbox.clearOutbox('test', told);
      await outbox.deferWake('test', told);
      await new MongoDeliveryStore(test.databases).claim({
        serviceName: 'test',
        ids: [one.id],
        token: 't',
        leaseMs: 1,
      });
    });
    expect(plans.map(({ indexes }) => indexes.join())).toEqual([
      'outbox',
      'outbox',
      'due',
      'due',
      '_id_',
      'leases',
      '_id_',
      'failures',
      'retention',
      'retention',
      '_id_',
      '_id_',
      '_id_',
      '_id_',
    ]);
    const expiry = await test.plansOf(() => store.findExpirable('test', new Date(), 10));
    expect(expiry.flatMap(({ indexes }) => indexes).sort()).toEqual(['expiry', 'status_service_newest']);
  });
});
