import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Outbox } from '#domain/accepted';
import type { Announcement } from '#domain/announcement';
import type { Notification } from '#domain/notification';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { Relay } from './relay.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const later = (ms: number): Date => new Date(NOW.getTime() + ms);

let now = NOW;

let store = new MemoryNotifications(NOW);
let told: Announcement[] = [];
let brokerUp = true;
let relay: Relay;
beforeEach(() => {
  now = NOW;
  store = new MemoryNotifications(NOW);
  told = [];
  brokerUp = true;
  let waiting: string[] = [];
  relay = new Relay({
    services: ['diabetes', 'wellness'],
    store,
    now: () => now,
    announcer: {
      announce: (announcements) => {
        told.push(...announcements);
        waiting.push(...announcements.map(({ notification }) => notification.id));
      },
      drained: () => {
        if (brokerUp) for (const id of waiting) store.clearOutbox(id);
        waiting = [];
        return Promise.resolve();
      },
    },
  });
});

const outbox = (over: Partial<Outbox> = {}): Outbox => ({
  at: NOW,
  wake: true,
  status: true,
  previousStatus: 'pending',
  deadLetter: false,
  ...over,
});
const add = (over: Partial<Notification> = {}, owes: Partial<Outbox> = {}): Notification =>
  store.add(notificationOf(over), outbox(owes));

describe('the relay', () => {
  it('tells what is owed in every service, and only once it may', async () => {
    const one = add();
    const other = add({ serviceName: 'wellness' });
    add({}, { at: later(1) });
    expect(await relay.run()).toBe(2);
    expect(told.map(({ notification }) => notification.id)).toEqual([one.id, other.id]);
    expect(await relay.run()).toBe(0);
  });

  it.each<[string, Partial<Notification>, Partial<Outbox>, Partial<Announcement>]>([
    ['all of it', {}, {}, { wake: 'now', status: { previous: 'pending' }, deadLetter: false }],
    ['a status alone', {}, { wake: false, previousStatus: null }, { wake: 'none', status: { previous: null } }],
    ['a wake-up alone', {}, { status: false }, { wake: 'now', status: null }],
    ['a wake-up that is not due', { nextAttemptAt: later(1) }, {}, { wake: 'later' }],
    ['a notice', { state: 'failed' }, { wake: false, deadLetter: true }, { wake: 'none', deadLetter: true }],
    ['no wake-up of what need not be woken', { state: 'cancelled' }, {}, { wake: 'none' }],
  ])('tells %s', async (_, over, owes, announcement) => {
    add(over, owes);
    await relay.run();
    expect(told).toMatchObject([announcement]);
  });

  it('goes on while there is more', async () => {
    for (let n = 0; n < 2500; n += 1) add();
    expect(await relay.run()).toBe(2500);
    expect(told).toHaveLength(2500);
  });

  it('does not ask again for a while where nothing will be owed, and is in time for what will', async () => {
    let asked = 0;
    const next = store.nextOwedInMs.bind(store);
    store.nextOwedInMs = (...of) => ((asked += 1), next(...of));
    expect(await relay.run()).toBe(0);
    expect(asked).toBe(2);
    now = later(2_999);
    expect(await relay.run()).toBe(0);
    expect(asked).toBe(2);
    now = later(3_000);
    add({}, { at: later(1_000) });
    expect(await relay.run()).toBe(0);
    expect(asked).toBe(4);
    store.time = later(1_000);
    expect(await relay.run()).toBe(1);
    expect(asked).toBe(5);
  });

  it('tells nothing twice in one run while the broker is away', async () => {
    brokerUp = false;
    for (let n = 0; n < 2500; n += 1) add();
    expect(await relay.run()).toBe(1000);
    expect(told).toHaveLength(1000);
    brokerUp = true;
    expect(await relay.run()).toBe(2500);
  });
});
