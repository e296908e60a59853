import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeliveryStatus } from '#contracts/vocabulary';
import type { Delivery, Notification } from '#domain/notification';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { StaleLeases } from './stale-leases.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

let store = new MemoryNotifications(NOW);
let announcer = new RecordingAnnouncer();
let job: StaleLeases;
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  announcer = new RecordingAnnouncer();
  job = new StaleLeases({ services: ['diabetes', 'wellness'], store, changes: store, announcer, graceMs: 2000 });
});

const delivery = (n: number, status: DeliveryStatus): Delivery => ({
  id: `n-${n}`,
  target: `t-${n}`,
  status,
  provider: null,
  providerMessageId: null,
  attempts: [],
});
const stale = (over: Partial<Notification> = {}): Notification =>
  store.add(
    notificationOf({
      state: 'sending',
      claims: 1,
      lease: { token: 'gone', until: ago(2000) },
      deliveries: [delivery(1, 'open')],
      ...over,
    }),
  );
const statuses = ({ id }: Notification): DeliveryStatus[] => store.get(id).deliveries.map(({ status }) => status);

describe('a dispatcher that vanished', () => {
  it('leaves what is sent again at once, alone, and unseen outside', async () => {
    const one = stale();
    const other = stale({ serviceName: 'wellness', claims: 2 });
    expect(await job.run()).toBe(2);
    expect(store.get(one.id)).toMatchObject({
      state: 'approved',
      alone: true,
      claims: 1,
      lease: null,
      waiting: null,
      nextAttemptAt: NOW,
      version: 2,
      deliveries: [{ status: 'open' }],
    });
    expect(store.get(one.id).history.at(-1)).toMatchObject({ from: 'sending', to: 'approved', actor: 'scheduler' });
    expect(store.get(other.id).state).toBe('approved');
    expect(announcer.announcements).toMatchObject([
      { wake: 'now', status: null, deadLetter: false },
      { wake: 'now', status: null },
    ]);
    expect(store.outboxOf(one.id)).toMatchObject({ wake: true, status: false });
  });

  it('is granted its lease and a little more', async () => {
    const one = stale({ lease: { token: 'slow', until: ago(1999) } });
    expect(await job.run()).toBe(0);
    expect(store.get(one.id)).toBe(one);
  });

  it('may be quicker than we are', async () => {
    const one = stale();
    store.beforeChange = () => store.add({ ...one, state: 'sent', version: 2 });
    expect(await job.run()).toBe(0);
    expect(announcer.announcements).toEqual([]);
  });
});

describe('the third one', () => {
  it('makes it a dead letter, as poison', async () => {
    const one = stale({ claims: 3 });
    expect(await job.run()).toBe(1);
    expect(store.get(one.id)).toMatchObject({
      state: 'failed',
      failedAt: NOW,
      lease: null,
      claims: 0,
      nextAttemptAt: null,
      lastError: { code: 'abandoned', class: 'poison' },
    });
    expect(statuses(one)).toEqual(['failed']);
    expect(announcer.announcements).toMatchObject([
      { wake: 'none', deadLetter: true, status: { previous: 'pending' } },
    ]);
  });

  it('leaves it sent where an earlier attempt reached a target', async () => {
    const one = stale({ claims: 3, sentAt: ago(9000), deliveries: [delivery(1, 'sent'), delivery(2, 'open')] });
    await job.run();
    expect(store.get(one.id)).toMatchObject({ state: 'sent', sentAt: ago(9000) });
    expect(statuses(one)).toEqual(['sent', 'failed']);
    expect(announcer.announcements).toMatchObject([{ deadLetter: false }]);
  });

  it('makes a dead letter of one that never had targets', async () => {
    const one = stale({ claims: 3, deliveries: [] });
    await job.run();
    expect(store.get(one.id)).toMatchObject({ state: 'failed', deliveries: [] });
  });
});

describe('at most once', () => {
  it('becomes uncertain, and waits for a person', async () => {
    const one = stale({ atMostOnce: true, deliveries: [delivery(1, 'open'), delivery(2, 'failed')] });
    await job.run();
    expect(store.get(one.id)).toMatchObject({
      state: 'uncertain',
      waiting: { reason: 'resolution', until: null },
      nextAttemptAt: null,
      lastError: { code: 'dispatcher_vanished' },
    });
    expect(statuses(one)).toEqual(['uncertain', 'failed']);
    expect(announcer.announcements).toMatchObject([
      { wake: 'none', deadLetter: false, status: { previous: 'pending' } },
    ]);
  });

  it('also of the third dispatcher: nobody knows', async () => {
    const one = stale({ atMostOnce: true, claims: 3 });
    await job.run();
    expect(store.get(one.id).state).toBe('uncertain');
  });

  it('counts named targets that were not written yet', async () => {
    const one = stale({ atMostOnce: true, deliveries: [], to: ['a@example.org', 'b@example.org'] });
    await job.run();
    expect(store.get(one.id)).toMatchObject({
      state: 'uncertain',
      deliveries: [
        { id: `${one.id}-1`, target: 'a@example.org', status: 'uncertain' },
        { id: `${one.id}-2`, target: 'b@example.org', status: 'uncertain' },
      ],
    });
  });

  it('is sent again where its targets were not even looked up', async () => {
    const one = stale({ atMostOnce: true, deliveries: [], to: null });
    await job.run();
    expect(store.get(one.id).state).toBe('approved');
  });

  it('is sent where one target was reached before', async () => {
    const one = stale({ atMostOnce: true, deliveries: [delivery(1, 'sent'), delivery(2, 'open')] });
    await job.run();
    expect(store.get(one.id)).toMatchObject({ state: 'sent', sentAt: NOW });
    expect(statuses(one)).toEqual(['sent', 'uncertain']);
  });
});

describe('many at once', () => {
  it('are all taken over', async () => {
    for (let n = 0; n < 1100; n += 1) stale();
    expect(await job.run()).toBe(1100);
  });
});
