import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Outbox } from '#domain/accepted';
import { markedWith, transitionTo } from '#domain/change';
import type { Notification } from '#domain/notification';
import type { NotificationStore } from '#lifecycle/ports';
import type { GroupUpkeep, UpkeepStore } from '#upkeep/ports';
import { aNotification } from './builders.js';

export interface StoresUnderTest {
  store: NotificationStore;
  upkeep: UpkeepStore;
  groups: GroupUpkeep;
  insert: (notification: Notification, outbox: Outbox | null) => Promise<unknown>;
}

const HOUR_MS = 3_600_000;
/** So far behind the database's clock may our idea of it be, in milliseconds. */
const BEHIND_MS = 50;
const ids = (notifications: readonly { id: string }[]): string[] => notifications.map(({ id }) => id).sort();

/** What lifecycle and upkeep rely on, of each implementation. `make` answers empty stores of `diabetes` and `test`. */
export const notificationStoreSuite = (make: () => Promise<StoresUnderTest> | StoresUnderTest): void => {
  let stores: StoresUnderTest;
  let now: Date;
  beforeEach(async () => {
    stores = await make();
    now = await stores.upkeep.now();
  });

  const at = (ms: number): Date => new Date(now.getTime() + ms);
  const owed = (over: Partial<Outbox> = {}): Outbox => ({
    at: at(-1000),
    wake: false,
    status: true,
    previousStatus: 'pending',
    deadLetter: false,
    ...over,
  });
  const add = async (over: Partial<Notification> = {}, outbox: Outbox | null = null): Promise<Notification> => {
    const notification = aNotification({ serviceName: 'diabetes', nextAttemptAt: at(-1000), ...over });
    await stores.insert(notification, outbox);
    return notification;
  };
  const found = ({ id }: Notification): Promise<Notification | null> => stores.store.find(id, ['diabetes', 'test']);
  const outboxOf = async ({ id }: Notification): Promise<Outbox | undefined> => {
    // What the database dated a moment ago may lie a little ahead of what is known of its clock.
    for (const end = performance.now() + BEHIND_MS; ;) {
      const owing = await stores.upkeep.findOwed('diabetes', 100);
      const mine = owing.find(({ notification }) => notification.id === id);
      if (mine !== undefined || performance.now() > end) return mine?.outbox;
    }
  };

  describe('find', () => {
    it('looks in the services that are named, and in no others', async () => {
      const one = await add();
      const other = await add({ serviceName: 'test' });
      expect((await stores.store.find(one.id, ['test', 'diabetes']))?.id).toBe(one.id);
      expect((await stores.store.find(other.id, new Set(['test'])))?.id).toBe(other.id);
      expect(await stores.store.find(one.id, ['test'])).toBeNull();
      expect(await stores.store.find('f'.repeat(24), ['test', 'diabetes'])).toBeNull();
      expect(await stores.store.find('no id', ['test', 'diabetes'])).toBeNull();
    });
  });

  describe('change', () => {
    it('writes once, and only on the version that it was decided on', async () => {
      const one = await add({ deliveries: [] });
      const change = transitionTo(one, 'cancelled', {
        at: now,
        actor: 'key:1',
        reason: 'why',
        set: { nextAttemptAt: null, waiting: null },
      });
      const after = await stores.store.change(change);
      expect(after).toMatchObject({ state: 'cancelled', version: 2, nextAttemptAt: null, waiting: null });
      expect(after?.history).toEqual([...one.history, change.transition]);
      expect(await found(one)).toEqual(after);
      expect(await stores.store.change(change)).toBeNull();
      expect(await stores.store.change({ ...change, version: 2, serviceName: 'test' })).toBeNull();
    });

    it('sets marks, and leaves the rest', async () => {
      const one = await add({ state: 'sent', sentAt: at(-5), openedAt: at(-2) });
      const after = await stores.store.change(markedWith(one, { at: now, set: { readAt: at(-1) } }));
      expect(after).toEqual({ ...one, readAt: at(-1), version: 2, updatedAt: after?.updatedAt });
    });

    it('lets one of many win', async () => {
      const one = await add();
      const results = await Promise.all(
        ['a', 'b', 'c', 'd'].map((reason) =>
          stores.store.change(transitionTo(one, 'cancelled', { at: now, actor: reason, reason, set: {} })),
        ),
      );
      expect(results.filter((result) => result !== null)).toHaveLength(1);
    });

    it('keeps a status that was told to nobody, and drops the wake-up of a state that is left', async () => {
      const one = await add({}, owed({ wake: true, previousStatus: null }));
      await stores.store.change(transitionTo(one, 'cancelled', { at: now, actor: 'key:1', reason: null, set: {} }));
      expect(await outboxOf(one)).toMatchObject({ wake: false, status: true, previousStatus: null });
    });

    it('keeps a notice that is owed when something is marked', async () => {
      const one = await add({ state: 'failed' }, owed({ status: false, deadLetter: true }));
      await stores.store.change(markedWith(one, { at: now, set: { retryForbidden: true } }));
      expect(await outboxOf(one)).toMatchObject({ deadLetter: true, status: true, previousStatus: 'failed' });
    });
  });

  describe('cancelOfBulk', () => {
    it('cancels what was not sent, and owes each status', async () => {
      const bulkId = aNotification().id;
      const [waits, drafted] = [await add({ bulkId }), await add({ bulkId, state: 'draft', approvedAt: null })];
      const left = [await add({ bulkId, state: 'sending' }), await add({ bulkId, state: 'sent' }), await add()];
      const step = { to: 'cancelled', at: now, actor: 'key:1', reason: null } as const;
      expect(await stores.store.cancelOfBulk('diabetes', bulkId, step)).toBe(2);
      for (const one of [waits, drafted]) {
        expect(await found(one)).toMatchObject({ state: 'cancelled', version: 2, nextAttemptAt: null });
        expect((await found(one))?.history.at(-1)).toEqual({ ...step, from: one.state });
        expect(await outboxOf(one)).toMatchObject({ status: true, previousStatus: 'pending', wake: false });
      }
      for (const one of left) expect(await found(one)).toMatchObject({ state: one.state, version: 1 });
      expect(await stores.store.cancelOfBulk('diabetes', bulkId, step)).toBe(0);
    });
  });

  describe('findOwed', () => {
    it('answers what may be told now, oldest first', async () => {
      const second = await add({}, owed({ at: at(-10) }));
      const first = await add({}, owed({ at: at(-20) }));
      await add({}, owed({ at: at(HOUR_MS) }));
      await add();
      await add({ serviceName: 'test' }, owed());
      const both = await stores.upkeep.findOwed('diabetes', 10);
      expect(both.map(({ notification }) => notification.id)).toEqual([first.id, second.id]);
      expect(await stores.upkeep.findOwed('diabetes', 1)).toHaveLength(1);
    });

    it('is told beforehand when there will be something', async () => {
      expect(await stores.upkeep.nextOwedInMs('diabetes', 3000)).toBeNull();
      await add({}, owed({ at: at(HOUR_MS) }));
      await add({ serviceName: 'test' }, owed());
      expect(await stores.upkeep.nextOwedInMs('diabetes', 3000)).toBeNull();
      const ahead = (await stores.upkeep.nextOwedInMs('diabetes', 2 * HOUR_MS)) ?? NaN;
      expect(ahead).toBeGreaterThan(HOUR_MS / 2);
      expect(ahead).toBeLessThanOrEqual(HOUR_MS);
      await add({}, owed({ at: at(-20) }));
      expect(await stores.upkeep.nextOwedInMs('diabetes', 3000)).toBeLessThan(0);
    });
  });

  describe('lost wake-ups', () => {
    it('are found by lane, and owed again', async () => {
      const lost = await add({ nextAttemptAt: at(-3000) });
      const near = await add({ nextAttemptAt: at(-100) });
      await add({ nextAttemptAt: at(-4000), lane: 'bulk' });
      await add({ nextAttemptAt: at(-4000), state: 'sending' });
      await add({ nextAttemptAt: at(-4000) }, owed({ at: at(HOUR_MS), wake: true }));
      await add({ nextAttemptAt: at(HOUR_MS) });
      const { channel, lane } = lost;
      expect(await stores.upkeep.oldestWaiting('diabetes', channel, lane, at(0))).toEqual(lost.nextAttemptAt);
      expect(await stores.upkeep.oweWakeAgain('diabetes', channel, lane, at(-1000), 10)).toBe(1);
      expect(await outboxOf(lost)).toMatchObject({ wake: true, status: false, deadLetter: false });
      expect(await stores.upkeep.oldestWaiting('diabetes', channel, lane, at(0))).toEqual(near.nextAttemptAt);
      expect(await stores.upkeep.oldestWaiting('diabetes', channel, lane, at(-1000))).toBeNull();
      expect(await stores.upkeep.oldestWaiting('test', channel, lane, at(0))).toBeNull();
    });

    it('are owed again some at a time, the earliest first', async () => {
      const [first, second] = [await add({ nextAttemptAt: at(-9000) }), await add({ nextAttemptAt: at(-8000) })];
      expect(await stores.upkeep.oweWakeAgain('diabetes', first.channel, first.lane, now, 1)).toBe(1);
      expect(await outboxOf(first)).toBeDefined();
      expect(await outboxOf(second)).toBeUndefined();
    });
  });

  describe('findStale', () => {
    it('answers what is sent under a lease that ended', async () => {
      const lease = (ms: number) => ({ token: 'x', until: at(ms) });
      const stale = await add({ state: 'sending', lease: lease(-5000) });
      await add({ state: 'sending', lease: lease(-500) });
      await add({ state: 'sending', lease: lease(HOUR_MS) });
      await add({ state: 'sent', lease: lease(-5000) });
      expect(ids(await stores.upkeep.findStale('diabetes', 2000, 10))).toEqual([stale.id]);
    });
  });

  describe('findExpirable', () => {
    it('answers what is past its time, and what is too old', async () => {
      const past = { expiresAt: at(-1) };
      const old = { createdAt: at(-2 * HOUR_MS) };
      const expirable = [
        await add(past),
        await add({ ...past, state: 'draft', approvedAt: null }),
        await add(old),
        await add({ ...old, state: 'uncertain' }),
      ];
      for (const state of ['sending', 'sent', 'cancelled'] as const) await add({ ...past, ...old, state });
      await add({ ...past, state: 'uncertain' });
      await add({ expiresAt: at(HOUR_MS) });
      expect(ids(await stores.upkeep.findExpirable('diabetes', at(-HOUR_MS), 10))).toEqual(ids(expirable));
    });
  });

  describe('findFailedNotificationsOlderThan', () => {
    it('answers what the automatic retry may take up', async () => {
      const error = { code: 'x', class: 'provider' as const, message: 'x', at: now };
      const failed = (over: Partial<Notification> = {}): Promise<Notification> =>
        add({ state: 'failed', failedAt: at(-HOUR_MS), lastError: error, ...over });
      const [one, other] = [await failed(), await failed({ lastError: { ...error, class: 'credentials' } })];
      await failed({ failedAt: at(-HOUR_MS / 2) });
      await failed({ round: 2 });
      await failed({ retryForbidden: true });
      await failed({ lastError: { ...error, class: 'recipient' } });
      await failed({ state: 'sent' });
      expect(ids(await stores.upkeep.findFailedNotificationsOlderThan('diabetes', 0.75, 10))).toEqual(
        ids([one, other]),
      );
    });
  });

  describe('groups', () => {
    const groupId = aNotification().id;
    const member = (position: number, over: Partial<Notification> = {}): Promise<Notification> =>
      add({ groupId, group: { mode: 'fallback', position, fallbackAfterSeconds: null, skipped: [] }, ...over });

    it('have their members in order', async () => {
      const [second, first] = [await member(1), await member(0)];
      await member(0, { groupId: aNotification().id });
      await member(0, { serviceName: 'test' });
      expect(await stores.groups.ofGroup('diabetes', groupId)).toEqual([first, second]);
      expect(await stores.groups.ofGroup('diabetes', aNotification().id)).toEqual([]);
    });

    it('are due with a member, once each, the longest due first', async () => {
      const other = aNotification().id;
      await member(0, { groupDueAt: at(-10) });
      await member(1, { groupDueAt: at(-5) });
      await member(0, { groupId: other, groupDueAt: at(-20) });
      await member(0, { groupId: aNotification().id, groupDueAt: at(HOUR_MS) });
      expect(await stores.groups.groupsDue('diabetes', 10)).toEqual([other, groupId]);
      expect(await stores.groups.groupsDue('diabetes', 1)).toEqual([other]);
      expect(await stores.groups.groupsDue('test', 10)).toEqual([]);
    });

    it('are due as soon as something of theirs is decided, and not before they are to be looked at again', async () => {
      const one = await member(0);
      const alone = await member(0, { groupId: null, group: null });
      for (const { id, version, serviceName } of [one, alone])
        await stores.store.change({ id, version, serviceName, set: { readAt: now }, outbox: null });
      expect(await stores.groups.groupsDue('diabetes', 10)).toEqual([groupId]);
      expect((await found(alone))?.groupDueAt).toBeNull();
      await stores.groups.lookedAt('diabetes', [{ id: one.id, version: 1, lookAgainAt: null }]);
      expect(await stores.groups.groupsDue('diabetes', 10)).toEqual([groupId]);
      await stores.groups.lookedAt('diabetes', [{ id: one.id, version: 2, lookAgainAt: at(HOUR_MS) }]);
      expect(await stores.groups.groupsDue('diabetes', 10)).toEqual([]);
      expect(await found(one)).toMatchObject({ version: 2, groupDueAt: at(HOUR_MS) });
      await stores.groups.lookedAt('diabetes', [{ id: one.id, version: 2, lookAgainAt: null }]);
      expect((await found(one))?.groupDueAt).toBeNull();
    });
  });

  describe('deleteFinalBefore', () => {
    it('deletes final states alone, some at a time', async () => {
      const createdAt = at(-HOUR_MS);
      for (const state of ['sent', 'failed', 'rejected'] as const) await add({ state, createdAt });
      const open = await add({ createdAt });
      const young = await add({ state: 'sent' });
      expect(await stores.upkeep.deleteFinalBefore('diabetes', at(-1000), 2)).toBe(2);
      expect(await stores.upkeep.deleteFinalBefore('diabetes', at(-1000), 2)).toBe(1);
      expect(await stores.upkeep.deleteFinalBefore('diabetes', at(-1000), 2)).toBe(0);
      expect([(await found(open))?.id, (await found(young))?.id]).toEqual([open.id, young.id]);
    });

    it('leaves what awaits its automatic retry; counts the same', async () => {
      const createdAt = at(-HOUR_MS);
      const error = { code: 'x', class: 'provider' as const, message: 'x', at: now };
      const failed = { state: 'failed' as const, createdAt, lastError: error };
      const awaits = await add({ ...failed, round: 1 });
      for (const one of [
        { round: 2 },
        { retryForbidden: true },
        { lastError: { ...error, class: 'content' as const } },
      ])
        await add({ ...failed, ...one });
      expect(await stores.upkeep.countFinalBefore('diabetes', at(-1000), 2)).toBe(2);
      expect(await stores.upkeep.countFinalBefore('diabetes', at(-1000), 10)).toBe(3);
      expect(await stores.upkeep.deleteFinalBefore('diabetes', at(-1000), 10)).toBe(3);
      expect((await found(awaits))?.id).toBe(awaits.id);
    });
  });
};
