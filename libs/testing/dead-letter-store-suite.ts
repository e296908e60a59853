import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '#domain/dead-letter';
import type { DeadLetterStore } from '#lifecycle/ports';
import { anId } from './builders.js';

const MINUTE_MS = 60_000;

export const aDeadLetter = (over: Partial<DeadLetter> = {}): DeadLetter => ({
  id: anId(),
  notificationId: anId(),
  round: 1,
  serviceName: 'diabetes',
  tenantId: null,
  channel: 'email',
  class: 'provider',
  status: 'waiting',
  code: 'x',
  reason: 'x',
  queue: null,
  retryAt: null,
  createdAt: new Date(),
  updatedAt: new Date(),
  errors: [],
  message: null,
  ...over,
});

/** What lifecycle relies on, of each implementation. `make` answers an empty store. */
export const deadLetterStoreSuite = (make: () => Promise<DeadLetterStore> | DeadLetterStore): void => {
  let store: DeadLetterStore;
  beforeEach(async () => {
    store = await make();
  });
  const add = async (over: Partial<DeadLetter> = {}): Promise<DeadLetter> => {
    const deadLetter = aDeadLetter(over);
    await store.record(deadLetter);
    return deadLetter;
  };
  const status = async ({ id }: DeadLetter): Promise<DeadLetter['status'] | undefined> =>
    (await store.find(id))?.status;

  describe('record', () => {
    it('keeps one for each notification and round', async () => {
      const first = await add();
      const again = aDeadLetter({ notificationId: first.notificationId, code: 'other' });
      expect(await store.record(again)).toBe(false);
      expect(await store.find(again.id)).toBeNull();
      expect(await store.find(first.id)).toEqual(first);
      expect(await store.record({ ...again, round: 2 })).toBe(true);
    });

    it('keeps one for each message of a queue, and every message without an id', async () => {
      const message = { type: null, messageId: 'm-1', correlationId: null, userId: 'clinic', payload: 'e30=' };
      const refused = (messageId: string | null): DeadLetter =>
        aDeadLetter({ notificationId: null, round: null, queue: 'q', message: { ...message, messageId } });
      expect(await store.record(refused('m-1'))).toBe(true);
      expect(await store.record(refused('m-1'))).toBe(false);
      expect(await store.record(refused(null))).toBe(true);
      expect(await store.record(refused(null))).toBe(true);
    });
  });

  describe('move and closeFor', () => {
    it('moves only from where it is said to stand', async () => {
      const one = await add({ retryAt: new Date() });
      expect(await store.move(one.id, ['archived'], 'dropped', 'key:1')).toBeNull();
      expect(await store.move(one.id, ['waiting', 'archived'], 'dropped', 'key:1')).toMatchObject({
        id: one.id,
        status: 'dropped',
        retryAt: null,
      });
      expect(await store.move(anId(), ['waiting'], 'dropped', 'key:1')).toBeNull();
      expect(await store.find('no id')).toBeNull();
    });

    it('closes what is open of that round', async () => {
      const one = await add();
      const archived = await add({ notificationId: one.notificationId, round: 2, status: 'archived' });
      const dropped = await add({ notificationId: one.notificationId, round: 3, status: 'dropped' });
      for (const round of [1, 2, 3, 4]) await store.closeFor(one.notificationId ?? '', round, 'retried');
      expect([await status(one), await status(archived), await status(dropped)]).toEqual([
        'retried',
        'retried',
        'dropped',
      ]);
    });
  });

  describe('page', () => {
    it('answers newest first, after a place, what the caller may see', async () => {
      const times = [3, 2, 1].map((minutes) => new Date(Date.now() - minutes * MINUTE_MS));
      const [oldest, middle, newest] = [
        await add({ createdAt: times[0] as Date }),
        await add({ createdAt: times[1] as Date, serviceName: null }),
        await add({ createdAt: times[2] as Date, class: 'content', channel: 'push', status: 'archived' }),
      ];
      await add({ serviceName: 'wellness' });
      const filter = { services: new Set(['diabetes']) };
      const idsOf = async (...query: Parameters<DeadLetterStore['page']>): Promise<string[]> =>
        (await store.page(...query)).map(({ id }) => id);
      expect(await idsOf(filter, 10, null)).toEqual([newest.id, middle.id, oldest.id]);
      expect(await idsOf(filter, 1, newest)).toEqual([middle.id]);
      expect(await idsOf({ ...filter, serviceName: 'diabetes' }, 10, null)).toEqual([newest.id, oldest.id]);
      expect(await idsOf({ ...filter, serviceName: 'wellness' }, 10, null)).toEqual([]);
      expect(await idsOf({ ...filter, class: 'content' }, 10, null)).toEqual([newest.id]);
      expect(await idsOf({ ...filter, channel: 'push' }, 10, null)).toEqual([newest.id]);
      expect(await idsOf({ ...filter, status: 'archived' }, 10, null)).toEqual([newest.id]);
      const period = { createdFrom: times[1] as Date, createdTo: times[2] as Date };
      expect(await idsOf({ ...filter, ...period }, 10, null)).toEqual([middle.id]);
    });

    it('tells those of the same moment apart', async () => {
      const createdAt = new Date();
      for (let n = 0; n < 3; n += 1) await add({ createdAt });
      const seen: string[] = [];
      let before: DeadLetter | null = null;
      for (;;) {
        const page: DeadLetter[] = await store.page({ services: new Set(['diabetes']) }, 1, before);
        before = page[0] ?? null;
        if (before === null) break;
        seen.push(before.id);
      }
      expect(new Set(seen).size).toBe(3);
      expect(seen).toHaveLength(3);
    });
  });

  describe('due', () => {
    it('answers waiting ones whose time has come', async () => {
      const past = new Date(Date.now() - MINUTE_MS);
      const one = await add({ retryAt: past });
      await add({ retryAt: past, status: 'dropped' });
      await add({ retryAt: new Date(Date.now() + MINUTE_MS) });
      await add();
      expect((await store.due(10)).map(({ id }) => id)).toEqual([one.id]);
    });
  });
};
