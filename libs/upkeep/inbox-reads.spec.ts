import { beforeEach, describe, expect, it } from '@jest/globals';
import type { State } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';
import { RecordingAnnouncer } from '#testing/memory-acceptance';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { InboxReads } from './inbox-reads.js';
import type { ReadItem } from './ports.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const READ = new Date('2026-11-21T07:59:59.000Z');

let store: MemoryNotifications;
let announcer: RecordingAnnouncer;
let owed: ReadItem[];
let job: InboxReads;
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  announcer = new RecordingAnnouncer();
  owed = [];
  const items = {
    readItems: (service: string, limit: number) => Promise.resolve(service === 'diabetes' ? owed.slice(0, limit) : []),
    readTold: (_service: string, { id }: ReadItem) =>
      Promise.resolve(void (owed = owed.filter((item) => item.id !== id))),
  };
  job = new InboxReads({ services: ['wellness', 'diabetes'], items, store, announcer, now: () => NOW });
});

const readOf = (over: Partial<Notification>, n = 1): string => {
  const { id } = store.add(notificationOf({ channel: 'in-app', state: 'sent', ...over }));
  owed.push({ id: `${id}-${n}`, notificationId: id, readAt: READ });
  return id;
};

describe('what was read in an inbox', () => {
  it('marks its notification, and tells the services', async () => {
    const id = readOf({});
    expect(await job.run()).toBe(1);
    expect(store.get(id)).toMatchObject({ state: 'sent', readAt: READ, version: 2 });
    expect(announcer.announcements).toMatchObject([{ wake: 'none', status: { previous: 'sent' } }]);
    expect(owed).toEqual([]);
    expect(await job.run()).toBe(0);
  });

  it('marks once, by the first of several items, and what was read otherwise stays', async () => {
    const id = readOf({});
    owed.push({ id: `${id}-2`, notificationId: id, readAt: NOW });
    const before = readOf({ readAt: NOW });
    // Both items at the same time: one of them is told another time.
    expect([await job.run(), await job.run()]).toEqual([2, 1]);
    expect(store.get(id)).toMatchObject({ readAt: READ, version: 2 });
    expect(store.get(before).version).toBe(1);
    expect(announcer.announcements).toHaveLength(1);
  });

  it.each<State>(['sending', 'approved'])(
    'waits until the dispatcher has written that it was sent: %s',
    async (state) => {
      const id = readOf({ state });
      expect(await job.run()).toBe(0);
      expect(owed).toHaveLength(1);
      store.add({ ...store.get(id), state: 'sent' });
      expect(await job.run()).toBe(1);
      expect(store.get(id).readAt).toEqual(READ);
    },
  );

  it('is told to nobody where the notification is gone, or has failed', async () => {
    readOf({ state: 'failed' });
    owed.push({ id: `${'f'.repeat(24)}-1`, notificationId: 'f'.repeat(24), readAt: READ });
    expect(await job.run()).toBe(2);
    expect([owed, announcer.announcements]).toEqual([[], []]);
  });

  it('is told another time when somebody else writes first', async () => {
    const id = readOf({});
    store.beforeChange = () => {
      store.beforeChange = () => undefined;
      store.add({ ...store.get(id), openedAt: NOW, version: 2 });
    };
    expect(await job.run()).toBe(0);
    expect(await job.run()).toBe(1);
    expect(store.get(id)).toMatchObject({ openedAt: NOW, readAt: READ });
  });
});
