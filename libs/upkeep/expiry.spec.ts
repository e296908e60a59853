import { beforeEach, describe, expect, it } from '@jest/globals';
import type { State, Status } from '#contracts/vocabulary';
import type { Delivery, Notification } from '#domain/notification';
import { statusOfNotification } from '#domain/states';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { RecordingAlerts } from '#testing/memory-dead-letters';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { Expiry } from './expiry.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const DAY_MS = 86_400_000;
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY_MS);
const SOON = new Date(NOW.getTime() + 60_000);

let store = new MemoryNotifications(NOW);
let announcer = new RecordingAnnouncer();
let alerts = new RecordingAlerts();
let job: Expiry;
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  announcer = new RecordingAnnouncer();
  alerts = new RecordingAlerts();
  job = new Expiry({ services: ['diabetes'], store, changes: store, announcer, alerts, now: () => NOW });
});

const add = (over: Partial<Notification>): Notification => store.add(notificationOf(over));
const delivery = (n: number, status: Delivery['status']): Delivery => ({
  id: `n-${n}`,
  target: 't',
  status,
  provider: null,
  providerMessageId: null,
  attempts: [],
});

describe('past expiresAt', () => {
  it.each<[State, Date | null, Status, Date | null]>([
    ['approved', NOW, 'failed', NOW],
    ['draft', null, 'cancelled', null],
  ])('%s expires, and counts', async (state, approvedAt, status, failedAt) => {
    const { id } = add({ state, approvedAt, expiresAt: NOW, deliveries: [delivery(1, 'open')] });
    expect(await job.run()).toBe(1);
    expect(store.get(id)).toMatchObject({
      state: 'expired',
      failedAt,
      waiting: null,
      nextAttemptAt: null,
      lastError: { code: 'expired', class: 'expired' },
      deliveries: [{ status: 'failed' }],
    });
    expect(statusOfNotification(store.get(id))).toBe(status);
    expect(announcer.announcements).toMatchObject([
      { wake: 'none', status: { previous: 'pending' }, deadLetter: false },
    ]);
    expect(alerts.raised).toEqual([]);
  });

  it.each<[string, Partial<Notification>]>([
    ['what has time left', { expiresAt: SOON }],
    ['what is being sent', { expiresAt: NOW, state: 'sending' }],
    ['what waits for a person', { expiresAt: NOW, state: 'uncertain' }],
    ['what is final', { expiresAt: NOW, state: 'sent' }],
  ])('leaves %s', async (_, over) => {
    const one = add(over);
    expect(await job.run()).toBe(0);
    expect(store.get(one.id)).toBe(one);
  });

  it('has the dispatcher settle what reached a target before, at once and only once', async () => {
    const { id } = add({ expiresAt: NOW, nextAttemptAt: SOON, deliveries: [delivery(1, 'sent'), delivery(2, 'open')] });
    expect(await job.run()).toBe(1);
    expect(store.get(id)).toMatchObject({ state: 'approved', waiting: null });
    expect(announcer.announcements).toMatchObject([{ wake: 'now', status: null }]);
    expect(await job.run()).toBe(0);
  });

  it('leaves an uncertain one that a store may find', async () => {
    const one = add({ expiresAt: NOW, state: 'uncertain' });
    store.findExpirable = () => Promise.resolve([one]);
    expect(await job.run()).toBe(0);
  });
});

describe('older than 80 days', () => {
  it.each<State>(['draft', 'approved', 'uncertain'])('%s expires, with an alert', async (state) => {
    const { id } = add({ state, createdAt: daysAgo(81) });
    expect(await job.run()).toBe(1);
    expect(store.get(id)).toMatchObject({ state: 'expired', lastError: { code: 'too_old' } });
    expect(alerts.raised).toMatchObject([{ group: 'expired:diabetes:email', code: 'too_old' }]);
  });

  it('not before', async () => {
    add({ createdAt: daysAgo(80) });
    add({ createdAt: daysAgo(81), state: 'sent' });
    expect(await job.run()).toBe(0);
  });
});

describe('one that was held back in its group', () => {
  it.each([{ expiresAt: NOW }, { createdAt: daysAgo(81) }])('has not failed: it was not needed (%o)', async (over) => {
    const { id } = add({ waiting: { reason: 'fallback', until: null }, nextAttemptAt: null, ...over });
    expect(await job.run()).toBe(1);
    expect(store.get(id)).toMatchObject({ state: 'cancelled', failedAt: null, lastError: null, waiting: null });
    expect(store.get(id).history.at(-1)).toMatchObject({ actor: 'scheduler', reason: 'expired' });
    expect(alerts.raised).toEqual([]);
  });
});

describe('a race', () => {
  it('against a claim is lost quietly', async () => {
    const one = add({ createdAt: daysAgo(81) });
    store.beforeChange = () => store.add({ ...one, state: 'sending', version: 2 });
    expect(await job.run()).toBe(0);
    expect(announcer.announcements).toEqual([]);
    expect(alerts.raised).toEqual([]);
  });
});
