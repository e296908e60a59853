import { beforeEach, describe, expect, it } from '@jest/globals';
import { ERROR_CLASSES, type ErrorClass } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';
import { isAutomaticRound } from '#domain/round';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { AutomaticRetry } from './automatic-retry.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const HOUR_MS = 3_600_000;
const HOUR_AGO = new Date(NOW.getTime() - HOUR_MS);

let store = new MemoryNotifications(NOW);
let announcer = new RecordingAnnouncer();
let closed: string[] = [];
let closingFails = false;
let job: AutomaticRetry;
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  announcer = new RecordingAnnouncer();
  closed = [];
  closingFails = false;
  job = new AutomaticRetry({
    services: ['diabetes', 'wellness'],
    store,
    changes: store,
    announcer,
    deadLetters: {
      closeFor: (id, round, to) => {
        closed.push(`${id} ${round} ${to}`);
        return closingFails ? Promise.reject(new Error('the store is down')) : Promise.resolve();
      },
    },
    now: () => NOW,
    retryAfterMs: HOUR_MS,
  });
});

const failed = (over: Partial<Notification> = {}, errorClass: ErrorClass = 'provider'): Notification =>
  store.add(
    notificationOf({
      state: 'failed',
      attempt: 4,
      failedAt: HOUR_AGO,
      nextAttemptAt: null,
      lastError: { code: 'x', class: errorClass, message: 'x', at: HOUR_AGO },
      ...over,
    }),
  );

describe('an hour after the first failure', () => {
  it('it is taken up again, in a new round', async () => {
    const one = failed();
    failed({ serviceName: 'wellness' });
    expect(await job.run()).toBe(2);
    const after = store.get(one.id);
    expect(after).toMatchObject({ state: 'approved', round: 2, attempt: 0 });
    expect(isAutomaticRound(after)).toBe(true);
    expect(announcer.announcements[0]).toMatchObject({ wake: 'now', status: { previous: 'failed' } });
    expect(closed[0]).toBe(`${one.id} 1 retried`);
    expect(await job.run()).toBe(0);
  });

  it.each(
    ERROR_CLASSES.map((errorClass): [ErrorClass, number] => [
      errorClass,
      ['provider', 'credentials'].includes(errorClass) ? 1 : 0,
    ]),
  )('of class %s: %i', async (errorClass, count) => {
    failed({}, errorClass);
    expect(await job.run()).toBe(count);
  });

  it.each<[string, Partial<Notification>]>([
    ['too early', { failedAt: new Date(HOUR_AGO.getTime() + 1) }],
    ['forbidden', { retryForbidden: true }],
    ['spent', { round: 2 }],
    ['taken up already', { state: 'approved' }],
  ])('not when it is %s', async (_, over) => {
    const one = failed(over);
    expect(await job.run()).toBe(0);
    expect(store.get(one.id)).toBe(one);
  });

  it('is given up when it has expired, so that it is final', async () => {
    const one = failed({ expiresAt: NOW });
    expect(await job.run()).toBe(1);
    expect(store.get(one.id)).toMatchObject({ state: 'failed', retryForbidden: true });
    expect(closed).toEqual([`${one.id} 1 archived`]);
    expect(await job.run()).toBe(0);
  });

  it('a store that finds too much changes nothing', async () => {
    const one = failed({ round: 2 });
    store.findFailedNotificationsOlderThan = () => Promise.resolve([one]);
    expect(await job.run()).toBe(0);
  });

  it('stands even when the dead letter cannot be closed', async () => {
    closingFails = true;
    const one = failed();
    expect(await job.run()).toBe(1);
    expect(store.get(one.id).state).toBe('approved');
  });

  it('a person may be quicker', async () => {
    const one = failed();
    store.beforeChange = () => store.add({ ...one, retryForbidden: true, version: 2 });
    expect(await job.run()).toBe(0);
    expect(announcer.announcements).toEqual([]);
  });
});
