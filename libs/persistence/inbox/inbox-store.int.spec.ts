import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InboxItem, Reader } from '#inbox/ports';
import { anId, anInboxItem } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoInboxStore } from './inbox-store.js';
import { inbox } from './schema.js';

const ALL = { unread: false };

describe('inbox store', () => {
  let test: TestDatabases;
  let store: MongoInboxStore;
  let users = 0;
  let reader: Reader;

  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoInboxStore(test.databases);
  });
  afterAll(() => test.drop());
  beforeEach(() => {
    reader = { serviceName: 'test', tenantId: null, userId: `p-${(users += 1)}` };
  });

  const put = async (count = 1, of: Reader = reader): Promise<string[]> => {
    const items = Array.from({ length: count }, () => anInboxItem({ ...of, id: `${anId()}-1` }));
    await store.deposit(items);
    return items.map(({ id }) => id);
  };
  const one = async (): Promise<string> => (await put())[0] ?? '';
  const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id);

  it('keeps what it is given, with the time of the database', async () => {
    const item = anInboxItem({ ...reader, data: { 'a.b': { $c: 1 } }, reference: 'rx-9931', title: null });
    const before = await store.now();
    await store.deposit([item]);
    const [kept] = await store.list(reader, ALL, 10, null);
    const { id, notificationId, type, priority, title, body, data, reference, groupId } = item;
    expect(kept).toEqual({
      ...{ id, notificationId, type, priority, title, body, data, reference, groupId },
      ...{ version: 1, createdAt: expect.any(Date) as unknown, readAt: null },
    });
    expect(kept?.createdAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
  });

  it('makes one item of one delivery, whatever became of it meanwhile', async () => {
    const [first, second, third] = Array.from({ length: 3 }, () => anInboxItem({ ...reader, id: `${anId()}-1` }));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three items');
    await store.deposit([first, second]);
    await store.mark(reader, first.id, true);
    await store.remove(reader, second.id);
    await store.deposit([first, second, third]);
    const items = await store.list(reader, ALL, 10, null);
    expect(ids(items).sort()).toEqual([first.id, third.id].sort());
    expect(items.find(({ id }) => id === first.id)).toMatchObject({ version: 2, readAt: expect.any(Date) as unknown });
  });

  it('finishes a deposit that died half way', async () => {
    const item = anInboxItem({ ...reader });
    await store.deposit([item]);
    await test.databases.inService('test', inbox, (collection) =>
      collection.updateOne({ _id: item.id }, { $unset: { createdAt: '', changedAt: '' } }),
    );
    expect(await store.list(reader, ALL, 10, null)).toEqual([]);
    expect(await store.countUnread(reader)).toBe(0);
    await store.deposit([item]);
    expect(ids(await store.list(reader, ALL, 10, null))).toEqual([item.id]);
  });

  it.each([1, 3, 7, 100])('lists newest first, %s to the page', async (limit) => {
    for (const count of [3, 1, 4]) await put(count);
    const all: InboxItem[] = [];
    for (let after: InboxItem | null = null; ;) {
      const page: InboxItem[] = await store.list(reader, ALL, limit, after);
      all.push(...page);
      after = page.at(-1) ?? null;
      if (page.length < limit) break;
    }
    expect(all).toHaveLength(8);
    expect(ids(all)).toEqual(
      ids([...all].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))),
    );
    expect(new Set(ids(all)).size).toBe(8);
  });

  it('marks as read and as unread, and counts', async () => {
    const id = await one();
    await put(2);
    expect(await store.countUnread(reader)).toBe(3);
    const read = await store.mark(reader, id, true);
    expect(read).toMatchObject({ id, version: 2, readAt: expect.any(Date) as unknown });
    expect(await store.mark(reader, id, true)).toEqual(read);
    expect(await store.countUnread(reader)).toBe(2);
    expect(ids(await store.list(reader, { unread: true }, 10, null))).not.toContain(id);
    expect(await store.mark(reader, id, false)).toMatchObject({ id, version: 3, readAt: null });
    expect(await store.countUnread(reader)).toBe(3);
  });

  it('marks all as read, up to a time', async () => {
    const id = await one();
    const [first] = await store.list(reader, ALL, 1, null);
    if (first === undefined) throw new Error('nothing listed');
    while ((await store.now()).getTime() <= first.createdAt.getTime());
    await put(2);
    expect(await store.markAllRead(reader, first.createdAt)).toBe(1);
    expect(ids(await store.list(reader, { unread: true }, 10, null))).not.toContain(id);
    expect(await store.markAllRead(reader, null)).toBe(2);
    expect(await store.markAllRead(reader, null)).toBe(0);
    expect(await store.countUnread(reader)).toBe(0);
  });

  it('deletes, and keeps nothing of the content', async () => {
    const id = await one();
    expect(await store.remove(reader, id)).toBe(true);
    expect(await store.remove(reader, id)).toBe(false);
    expect(await store.mark(reader, id, true)).toBeNull();
    expect(await store.list(reader, ALL, 10, null)).toEqual([]);
    expect(await store.countUnread(reader)).toBe(0);
    const left = await test.databases.inService('test', inbox, (collection) => collection.findOne({ _id: id }));
    expect(left).toMatchObject({ title: null, body: '', data: {} });
    expect(left?.expiresAt.getTime()).toBeLessThan(Date.now() + 27 * 3_600_000);
  });

  it('is closed to all others: other users, other tenants, other services', async () => {
    const id = await one();
    for (const other of [
      { ...reader, userId: 'p-other' },
      { ...reader, tenantId: 'clinic' },
      { ...reader, serviceName: 'diabetes' },
    ]) {
      expect(await store.list(other, ALL, 10, null)).toEqual([]);
      expect(await store.countUnread(other)).toBe(0);
      expect(await store.mark(other, id, true)).toBeNull();
      expect(await store.markAllRead(other, null)).toBe(0);
      expect(await store.remove(other, id)).toBe(false);
    }
    const clinic = { ...reader, tenantId: 'clinic' };
    const [theirs] = await put(1, clinic);
    expect(ids(await store.list(clinic, ALL, 10, null))).toEqual([theirs]);
    expect(ids(await store.list(reader, ALL, 10, null))).toEqual([id]);
  });

  it('tells what changed since a time, deletions too, oldest first', async () => {
    const from = await store.now();
    const other = { ...reader, userId: `${reader.userId}-other` };
    const [stays, goes] = await put(2);
    const [theirs] = await put(1, other);
    await store.remove(reader, goes ?? '');
    const asked = [reader, other].map((each) => ({ reader: each, from }));
    const changes = await store.changes('test', asked, 10);
    expect(new Map(changes.map(({ id, version, item }) => [id, item === null ? 'removed' : version]))).toEqual(
      new Map<unknown, unknown>([
        [stays, 1],
        [theirs, 1],
        [goes, 'removed'],
      ]),
    );
    const times = changes.map(({ changedAt }) => changedAt.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(changes.find(({ id }) => id === theirs)?.reader).toEqual(other);
    expect(await store.changes('test', asked, 2)).toHaveLength(2);
    const later = new Date(Math.max(...times) + 1);
    expect(await store.changes('test', [{ reader, from: later }], 10)).toEqual([]);
    expect(await store.changes('nobody', asked, 10)).toEqual([]);
  });

  it('asks indexes alone', async () => {
    const id = await one();
    await put(3);
    const used = async (work: () => Promise<unknown>): Promise<string[]> => [
      ...new Set((await test.plansOf(work)).flatMap(({ indexes }) => indexes)),
    ];
    const [item] = await store.list(reader, ALL, 1, null);
    expect(await used(() => store.list(reader, ALL, 10, null))).toEqual(['reader_newest']);
    expect(await used(() => store.list(reader, ALL, 10, item ?? null))).toEqual(['reader_newest']);
    for (const work of [
      () => store.list(reader, { unread: true }, 10, null),
      () => store.countUnread(reader),
      () => store.markAllRead(reader, null),
    ])
      expect((await used(work)).join()).toMatch(/^reader_(unread|newest)$/);
    expect(await used(() => store.changes('test', [{ reader, from: new Date() }], 10))).toEqual(['reader_changes']);
    for (const work of [
      () => store.mark(reader, id, true),
      () => store.deposit([anInboxItem({ ...reader })]),
      () => store.remove(reader, id),
    ])
      expect((await used(work)).join()).toMatch(/^(_id_|reader_newest)?$/);
  });

  describe('what its readers have read', () => {
    const mine = async (): Promise<string[]> => {
      const all = await store.readItems('test', 1_000);
      const own = new Set((await store.list(reader, ALL, 100, null)).map(({ id }) => id));
      return all.flatMap(({ id }) => (own.has(id) ? [id] : []));
    };

    it('is owed once, until it is told', async () => {
      const [first = '', second = '', third = ''] = await put(3);
      await store.mark(reader, second, true);
      await store.mark(reader, second, false);
      await store.mark(reader, second, true);
      await store.mark(reader, third, false);
      expect(await mine()).toEqual([second]);
      await store.markAllRead(reader, null);
      expect((await mine()).sort()).toEqual([first, second, third].sort());
      const [oldest] = (await store.readItems('test', 1_000)).filter(({ id }) => id === second);
      if (oldest === undefined) throw new Error('it is not owed');
      await store.readTold('test', { ...oldest, readAt: new Date(0) });
      expect(await mine()).toContain(second);
      await store.readTold('test', oldest);
      expect(await mine()).not.toContain(second);
    });

    it('is not owed where the notification was read first', async () => {
      const notificationId = anId();
      const items = [1, 2].map((n) => anInboxItem({ ...reader, id: `${notificationId}-${n}` }));
      await store.deposit(items);
      const other = await one();
      expect(await store.markReadOf('test', notificationId)).toEqual([reader, reader]);
      expect(await store.countUnread(reader)).toBe(1);
      expect(await mine()).toEqual([]);
      expect((await store.list(reader, { unread: true }, 5, null)).map(({ id }) => id)).toEqual([other]);
      expect(await store.markReadOf('test', notificationId)).toEqual([]);
    });

    it('is found by indexes', async () => {
      const [id = ''] = await put();
      const plans = await test.plansOf(async () => {
        await store.readItems('test', 5);
        await store.markReadOf('test', id.slice(0, 24));
        await store.readTold('test', { id, notificationId: '', readAt: new Date() });
      });
      expect(plans.map(({ indexes }) => indexes)).toEqual([['reads_owed'], ['_id_'], ['_id_'], ['_id_']]);
    });
  });
});
