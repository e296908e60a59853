import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Announcement } from '#domain/announcement';
import { HELD_BACK } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { BulkRelay } from './bulk-relay.js';
import type { OwedBulk } from './ports.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const BULK = 'b'.repeat(24);

describe('BulkRelay', () => {
  let store: MemoryNotifications;
  let announced: Announcement[][];
  let confirms: boolean;
  let owed: OwedBulk[];
  let until: (Date | null)[];
  let relay: BulkRelay;

  beforeEach(() => {
    store = new MemoryNotifications(NOW);
    announced = [];
    confirms = true;
    owed = [{ id: BULK, serviceName: 'diabetes', at: NOW, grows: false }];
    until = [];
    relay = new BulkRelay({
      bulks: {
        owed: (limit) => Promise.resolve(owed.slice(0, limit)),
        toldUntil: (_, again) => Promise.resolve(void until.push(again)),
      },
      items: store,
      announcer: {
        announce: (announcements, told) => {
          announced.push([...announcements]);
          void told?.(confirms);
        },
      },
      now: () => NOW,
    });
  });

  const item = (over: Partial<Notification> = {}): Notification =>
    store.add(notificationOf({ bulkId: BULK, nextAttemptAt: NOW, ...over }), null);
  const ids = (): string[] => announced.flat().map(({ notification }) => notification.id);

  it('tells all that is pending once more, and nothing of what is not, or of another bulk', async () => {
    const approved = item();
    const sending = item({ state: 'sending' });
    const draft = item({ state: 'draft' });
    item({ state: 'sent' });
    item({ bulkId: 'c'.repeat(24) });
    item({ serviceName: 'wellness' });
    expect(await relay.run()).toBe(3);
    expect(ids().sort()).toEqual([approved.id, sending.id, draft.id].sort());
    const wakes = new Map(announced.flat().map(({ notification, wake }) => [notification.id, wake]));
    expect([approved, sending, draft].map(({ id }) => wakes.get(id))).toEqual(['now', 'none', 'none']);
    expect(announced.flat().every(({ status }) => status?.previous === null)).toBe(true);
    expect(until).toEqual([null]);
  });

  it('leaves to the scheduler when it is to wake what comes later, and to a group whose turn it is', async () => {
    item({ nextAttemptAt: new Date(NOW.getTime() + 60_000) });
    item(HELD_BACK);
    await relay.run();
    expect(
      announced
        .flat()
        .map(({ wake }) => wake)
        .sort(),
    ).toEqual(['later', 'none']);
  });

  it('goes through all of a large one', async () => {
    for (let n = 0; n < 2_500; n += 1) item();
    expect(await relay.run()).toBe(2_500);
    expect(new Set(ids()).size).toBe(2_500);
    expect(announced.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
  });

  it('looks again where the broker did not confirm, and asks it for no more', async () => {
    for (let n = 0; n < 1_500; n += 1) item();
    confirms = false;
    await relay.run();
    expect(announced).toHaveLength(1);
    expect(until).toEqual([new Date(NOW.getTime() + 10_000)]);
  });

  it('looks again while the bulk is still being accepted', async () => {
    item();
    owed = [{ id: BULK, serviceName: 'diabetes', at: NOW, grows: true }];
    await relay.run();
    expect(until).toEqual([new Date(NOW.getTime() + 10_000)]);
  });

  it('is done with one of which nothing is pending', async () => {
    expect(await relay.run()).toBe(0);
    expect(announced).toEqual([]);
    expect(until).toEqual([null]);
  });
});
