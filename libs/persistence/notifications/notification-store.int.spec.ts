import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Outbox } from '#domain/accepted';
import { type Change, markedWith, transitionTo } from '#domain/change';
import type { Notification } from '#domain/notification';
import { nextRound } from '#domain/round';
import { accepted, aDelivery, anId, anOutbox } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { objectIdsOf } from '../schema.js';
import { MongoAcceptStore } from './accept-store.js';
import { MongoNotificationStore } from './notification-store.js';
import { type NotificationDocument, notifications } from './schema.js';

describe('notification store', () => {
  let test: TestDatabases;
  let store: MongoNotificationStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoNotificationStore(test.databases);
  });
  afterAll(() => test.drop());

  const insert = async (over: Partial<Notification> = {}, outbox: Outbox | null = null): Promise<Notification> => {
    const entry = accepted(over, null, outbox);
    await new MongoAcceptStore(test.databases).insertAccepted([entry]);
    return entry.notification;
  };
  const raw = async ({ id, serviceName }: Notification): Promise<NotificationDocument | null> =>
    test.databases.inService(serviceName, notifications, (one) => one.findOne({ _id: { $in: objectIdsOf([id]) } }));
  const at = new Date('2026-11-21T08:00:00.000Z');
  const step = { at, actor: 'key:2', reason: null };

  it('finds in the services that it is told to look in, and nothing for what is no id', async () => {
    const { id } = await insert({ serviceName: 'diabetes' });
    expect((await store.find(id, ['test', 'diabetes', 'nobody']))?.id).toBe(id);
    expect(await store.find(id, ['test'])).toBeNull();
    expect(await store.find(id, [])).toBeNull();
    expect(await store.find('no id', ['test'])).toBeNull();
  });

  it('writes a transition and everything with it', async () => {
    const draft = await insert({
      state: 'draft',
      approvedAt: null,
      nextAttemptAt: null,
      waiting: { reason: 'approval', until: null },
    });
    const before = await test.databases.now();
    const change = transitionTo(draft, 'approved', {
      ...step,
      wake: true,
      set: {
        approvedAt: at,
        nextAttemptAt: at,
        waiting: null,
        lastError: { code: 'c', class: 'content', message: '$a', at },
      },
    });
    const after = await store.change(change);
    expect(after).toEqual({
      ...draft,
      state: 'approved',
      version: 2,
      approvedAt: at,
      nextAttemptAt: at,
      waiting: null,
      lastError: { code: 'c', class: 'content', message: '$a', at },
      updatedAt: after?.updatedAt,
      history: [...draft.history, change.transition],
    });
    expect(after?.updatedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(await store.find(draft.id, ['test'])).toEqual(after);
    expect((await raw(draft))?.outbox).toEqual(change.outbox);
  });

  it('writes nothing where the version is another by now', async () => {
    const notification = await insert();
    const change = transitionTo(notification, 'cancelled', { ...step, set: {} });
    const results = await Promise.all(
      [test.another(), test.another(), test.another()].map((one) => new MongoNotificationStore(one).change(change)),
    );
    expect(results.filter((one) => one !== null)).toHaveLength(1);
    expect((await store.find(notification.id, ['test']))?.history).toHaveLength(2);
    expect(await store.change({ ...change, id: 'no id' })).toBeNull();
  });

  it.each([
    ['approved', at, 'failed'],
    ['draft', null, 'cancelled'],
  ] as const)('counts an expired one that was %s rightly', async (state, approvedAt, status) => {
    const notification = await insert({ state, approvedAt });
    await store.change(transitionTo(notification, 'expired', { ...step, set: {} }));
    expect((await raw(notification))?.status).toBe(status);
  });

  it('ends a lease with the state that it belonged to', async () => {
    const lease = { token: 'gone', until: at };
    const notification = await insert({ state: 'sending', lease });
    expect((await store.find(notification.id, ['test']))?.lease).toEqual(lease);
    await store.change(transitionTo(notification, 'approved', { ...step, set: {} }));
    expect((await raw(notification))?.lease).toBeUndefined();
  });

  describe('what was owed before', () => {
    const owed = async (before: Outbox | null, change: (one: Notification) => Change): Promise<Outbox | undefined> => {
      const notification = await insert({ state: 'failed' }, before);
      await store.change(change(notification));
      return (await raw(notification))?.outbox;
    };
    const early = new Date('2026-11-21T07:00:00.000Z');
    const failure = anOutbox({ at: early, wake: false, previousStatus: 'pending', deadLetter: true });
    const mark = (one: Notification): Change => markedWith(one, { at, set: { retryForbidden: true } });

    it('stays beside what a mark adds', async () => {
      expect(await owed(failure, mark)).toEqual({ ...failure, at: early });
    });
    it('stays where a change adds nothing', async () => {
      expect(await owed(failure, (one) => ({ ...mark(one), outbox: null }))).toEqual(failure);
      expect(await owed(null, (one) => ({ ...mark(one), outbox: null }))).toBeUndefined();
    });
    it('is overtaken by a transition, but for the status that nobody was told', async () => {
      const outbox = await owed(failure, (one) => nextRound(one, at, 'key:2', null));
      expect(outbox).toMatchObject({ wake: true, status: true, previousStatus: 'pending', deadLetter: false });
      expect(await owed(failure, (one) => ({ ...nextRound(one, at, 'key:2', null), outbox: null }))).toMatchObject({
        wake: false,
        status: true,
        deadLetter: false,
      });
      expect(
        await owed({ ...failure, status: false }, (one) => ({ ...nextRound(one, at, 'key:2', null), outbox: null })),
      ).toBeUndefined();
    });
  });

  it('cancels of a bulk what is still open', async () => {
    const bulkId = anId();
    const open = aDelivery('1', { status: 'open', attempts: [] });
    const draft = await insert({ bulkId, state: 'draft', approvedAt: null });
    const partly = await insert({ bulkId, deliveries: [aDelivery('1'), open] });
    const sending = await insert({ bulkId, state: 'sending' });
    const sent = await insert({ bulkId, state: 'sent' });
    const other = await insert({ bulkId: anId() });
    const transition = { to: 'cancelled' as const, at, actor: 'key:$2', reason: '$why' };
    expect(await store.cancelOfBulk('test', bulkId, transition)).toBe(2);
    expect(await store.cancelOfBulk('test', bulkId, transition)).toBe(0);
    const states = await Promise.all(
      [draft, partly, sending, sent, other].map(async ({ id }) => (await store.find(id, ['test']))?.state),
    );
    expect(states).toEqual(['cancelled', 'cancelled', 'sending', 'sent', 'approved']);
    const cancelled = await raw(partly);
    expect(cancelled).toMatchObject({ status: 'cancelled', version: 2 });
    expect(cancelled?.nextAttemptAt).toBeUndefined();
    expect(cancelled?.deliveries?.map(({ status }) => status)).toEqual(['sent', 'failed']);
    expect(cancelled?.history.at(-1)).toEqual({ from: 'approved', ...transition });
    expect((await raw(draft))?.history.at(-1)?.from).toBe('draft');
    expect((await store.find(draft.id, ['test']))?.deliveries).toEqual([]);
    expect(cancelled?.outbox).toMatchObject({
      wake: false,
      status: true,
      previousStatus: 'pending',
      deadLetter: false,
      at: cancelled?.updatedAt,
    });
  });

  it('asks indexes alone', async () => {
    const notification = await insert();
    const plans = await test.plansOf(async () => {
      await store.find(notification.id, ['test']);
      await store.change(markedWith(notification, { at, set: {} }));
      await store.cancelOfBulk('test', anId(), { to: 'cancelled', at, actor: 'a', reason: null });
    });
    expect(plans.map(({ indexes }) => indexes)).toEqual([['_id_'], ['_id_'], ['_id_']]);
  });
});
