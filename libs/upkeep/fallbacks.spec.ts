import { beforeEach, describe, expect, it } from '@jest/globals';
import { grouped, GROUP_REASONS } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { Fallbacks } from './fallbacks.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
const GROUP = 'a'.repeat(24);

let store: MemoryNotifications;
let announcer: RecordingAnnouncer;
let job: Fallbacks;
let push: Notification;
let sms: Notification;
let email: Notification;

beforeEach(() => {
  store = new MemoryNotifications(NOW);
  announcer = new RecordingAnnouncer();
  const parts = {
    services: ['wellness', 'diabetes'],
    groups: store,
    changes: store,
    announcer,
    now: () => store.now(),
  };
  job = new Fallbacks(parts);
  const members = (['push', 'sms', 'email'] as const).map((channel) => notificationOf({ channel, groupId: GROUP }));
  [push, sms, email] = grouped(members, { mode: 'fallback', fallbackAfterSeconds: 60, skipped: [] }).map((one) =>
    store.add(one),
  ) as [Notification, Notification, Notification];
});

/** As a dispatcher writes it. */
const settle = ({ id }: Notification, over: Partial<Notification>): void =>
  void store.add({ ...store.get(id), waiting: null, groupDueAt: store.time, ...over });
const failWith = (errorClass: 'provider' | 'recipient'): Partial<Notification> => ({
  state: 'failed',
  failedAt: store.time,
  lastError: { code: 'c', class: errorClass, message: 'm', at: store.time },
});
const runAt = (seconds: number): Promise<number> => {
  store.time = at(seconds);
  return job.run();
};
const due = (): (Date | null)[] => [push, sms, email].map(({ id }) => store.get(id).groupDueAt);

describe('fallbacks', () => {
  it('leave alone what nothing has happened to', async () => {
    expect(await runAt(59)).toBe(0);
    expect(announcer.announcements).toEqual([]);
    expect(due()).toEqual([at(60), null, null]);
  });

  it('wake the next one when one failed, and never retry the one before by themselves', async () => {
    settle(push, failWith('provider'));
    expect(await runAt(5)).toBe(1);
    expect(store.get(push.id)).toMatchObject({ state: 'failed', retryForbidden: true });
    expect(store.get(sms.id)).toMatchObject({ state: 'approved', waiting: null, version: 2 });
    expect(store.get(sms.id).nextAttemptAt?.getTime()).toBeLessThanOrEqual(at(5).getTime());
    expect(store.get(email.id)).toMatchObject({ waiting: { reason: 'fallback' }, version: 1 });
    expect(announcer.announcements).toMatchObject([
      { notification: { id: push.id }, wake: 'none', deadLetter: true },
      { notification: { id: sms.id }, wake: 'now', status: null },
    ]);
    expect(due()).toEqual([null, at(65), null]);
    expect(await runAt(64)).toBe(0);
  });

  it('end what is not needed', async () => {
    settle(push, { state: 'sent', sentAt: at(5), deliveredAt: at(6) });
    await runAt(7);
    for (const { id } of [sms, email]) {
      expect(store.get(id)).toMatchObject({ state: 'cancelled', waiting: null });
      expect(store.get(id).history.at(-1)).toMatchObject({ actor: 'scheduler', reason: GROUP_REASONS.notNeeded });
    }
    expect(announcer.announcements.map(({ status }) => status)).toEqual([
      { previous: 'pending' },
      { previous: 'pending' },
    ]);
    expect(due()).toEqual([null, null, null]);
  });

  it('go to the end by time alone', async () => {
    expect(await runAt(60)).toBe(1);
    expect(store.get(push.id)).toMatchObject({ state: 'cancelled' });
    expect(store.get(sms.id).waiting).toBeNull();
    settle(sms, { state: 'sent', sentAt: at(61) });
    await runAt(62);
    expect(due()).toEqual([null, at(121), null]);
    await runAt(121);
    expect(store.get(email.id).waiting).toBeNull();
    settle(email, { state: 'sent', sentAt: at(122) });
    expect(await runAt(1e6)).toBe(1);
    expect(due()).toEqual([null, null, null]);
  });

  it('take up what an earlier look left half done', async () => {
    settle(push, failWith('provider'));
    const change = store.change.bind(store);
    store.change = (one) => (one.id === sms.id ? Promise.reject(new Error('the process died')) : change(one));
    await expect(runAt(5)).rejects.toThrow('the process died');
    expect(store.get(push.id).retryForbidden).toBe(true);
    store.change = change;
    await runAt(6);
    expect(store.get(sms.id).waiting).toBeNull();
    const turns = store.get(sms.id).history.filter(({ from, to }) => from === 'approved' && to === 'approved');
    expect(turns).toHaveLength(1);
  });

  it('decide anew when somebody else writes first', async () => {
    settle(push, failWith('recipient'));
    store.beforeChange = ({ id }) => {
      store.beforeChange = () => undefined;
      if (id === sms.id) store.add({ ...store.get(id), state: 'cancelled', waiting: null, version: 2 });
    };
    await runAt(5);
    expect(store.get(sms.id)).toMatchObject({ state: 'cancelled', version: 2 });
    expect(store.get(email.id).waiting).toBeNull();
  });

  it('look at all that is due, also where many members are of few groups', async () => {
    const plan = { mode: 'fallback', fallbackAfterSeconds: null, skipped: [] } as const;
    for (let number = 0; number < 700; number += 1) {
      const groupId = number.toString(16).padStart(24, '0');
      const members = (['push', 'sms'] as const).map((channel) => notificationOf({ channel, groupId }));
      for (const one of grouped(members, plan)) store.add({ ...one, groupDueAt: NOW });
    }
    expect(await runAt(1)).toBe(700);
    expect(await store.groupsDue('diabetes', 1)).toEqual([]);
  });

  it('give up for now what others change all the time', async () => {
    settle(push, failWith('recipient'));
    store.beforeChange = ({ id }) => void store.add({ ...store.get(id), version: store.get(id).version + 1 });
    expect(await runAt(5)).toBe(0);
    expect(due()).toEqual([NOW, null, null]);
  });
});
