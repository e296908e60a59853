import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InsertResult } from '#domain/accepted';
import type { Notification } from '#domain/notification';
import { aNotification, accepted, anId, anOutbox } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { Databases } from '../databases.js';
import { MongoAcceptStore } from './accept-store.js';
import { MongoGroupStore } from './group-store.js';
import { MongoNotificationStore } from './notification-store.js';

describe('accept store', () => {
  let test: TestDatabases;
  let store: MongoAcceptStore;
  let reader: MongoNotificationStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoAcceptStore(test.databases);
    reader = new MongoNotificationStore(test.databases);
  });
  afterAll(() => test.drop());

  const find = (id: string) => reader.find(id, ['diabetes', 'test']);

  it('keeps all that it is given', async () => {
    const full = aNotification({
      serviceName: 'diabetes',
      tenantId: 't',
      reference: 'rx-1',
      groupId: anId(),
      html: '<p>1</p>',
      data: { a: [1, { b: null }] },
      metadata: { 'with.dot': true, $dollar: 1 },
      sendAt: new Date('2027-01-01T00:00:00.000Z'),
      waiting: { reason: 'scheduled', until: new Date('2027-01-01T00:00:00.000Z') },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    const plain = aNotification({ userId: null, title: null, to: null });
    const results = await store.insertAccepted(
      [full, plain].map((notification) => ({ notification, idempotency: null, outbox: anOutbox() })),
    );
    expect(results).toEqual([{ kind: 'inserted' }, { kind: 'inserted' }]);
    expect(await find(full.id)).toEqual(full);
    expect(await find(plain.id)).toEqual(plain);
  });

  it('answers a repetition of the same write as the first', async () => {
    const batch = [accepted(), accepted({}, { scope: anId(), fingerprint: 'f' })];
    await store.insertAccepted(batch);
    expect(await store.insertAccepted([...batch, accepted()])).toEqual([
      { kind: 'inserted' },
      { kind: 'inserted' },
      { kind: 'inserted' },
    ]);
  });

  it('makes one notification for each idempotency scope and service', async () => {
    const scope = anId();
    const first = accepted({}, { scope, fingerprint: 'one' });
    const elsewhere = accepted({ serviceName: 'diabetes' }, { scope, fingerprint: 'one' });
    await store.insertAccepted([first]);
    const [duplicate, inserted] = await store.insertAccepted([accepted({}, { scope, fingerprint: 'two' }), elsewhere]);
    expect(duplicate).toMatchObject({ kind: 'duplicate', existing: { id: first.notification.id }, fingerprint: 'one' });
    expect(inserted).toEqual({ kind: 'inserted' });
    const found = await store.findByIdempotency([
      { serviceName: 'test', scope: 'none' },
      { serviceName: 'test', scope },
      { serviceName: 'diabetes', scope },
    ]);
    expect(found.map((one) => one?.notification.id)).toEqual([
      undefined,
      first.notification.id,
      elsewhere.notification.id,
    ]);
  });

  it('lets one win where many race for a scope', async () => {
    const scope = anId();
    const stores = [test.another(), test.another(), test.another()].map((other) => new MongoAcceptStore(other));
    const results = await Promise.all(
      stores.map((one) =>
        one.insertAccepted([
          accepted({}, { scope, fingerprint: 'f' }),
          accepted({}, { scope, fingerprint: 'f' }),
          accepted(),
        ]),
      ),
    );
    const kinds = results.flat().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'inserted')).toHaveLength(4);
    expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(5);
    expect(new Set(results.flat().flatMap((one) => (one.kind === 'duplicate' ? [one.existing.id] : []))).size).toBe(1);
  });

  it('writes the others where one document cannot be written', async () => {
    const errors: unknown[] = [];
    const telling = new MongoAcceptStore(test.databases, (error) => errors.push(error));
    const good = Array.from({ length: 5 }, () => accepted());
    const tooLarge = accepted({ body: 'x'.repeat(17 * 1024 * 1024) });
    const results = await telling.insertAccepted([...good.slice(0, 3), tooLarge, ...good.slice(3)]);
    expect(results.map(({ kind }) => kind)).toEqual([
      'inserted',
      'inserted',
      'inserted',
      'unavailable',
      'inserted',
      'inserted',
    ]);
    expect(await find(tooLarge.notification.id)).toBeNull();
    expect(errors.length).toBeGreaterThan(0);
  });

  it('inserts of a chunk that comes again only what is missing', async () => {
    const bulkId = anId();
    const items = Array.from({ length: 20 }, (_, bulkIndex) => accepted({ bulkId, bulkIndex }));
    await store.insertAccepted(items.slice(0, 12));
    const results = await store.insertAccepted(items);
    expect(results.every(({ kind }) => kind === 'inserted')).toBe(true);
    for (const { notification } of items) expect((await find(notification.id))?.bulkId).toBe(bulkId);
  });

  describe('a group', () => {
    const member = (groupId: string, position: number, over: Partial<Notification> = {}, scope?: string) =>
      accepted(
        { groupId, group: { mode: 'all', position, fallbackAfterSeconds: null, skipped: ['slack'] }, ...over },
        scope === undefined || position > 0 ? null : { scope, fingerprint: 'f' },
      );
    const tooLarge = { body: 'x'.repeat(17 * 1024 * 1024) };
    const kindsOf = (results: readonly InsertResult[]): string[] => results.map(({ kind }) => kind);

    it('is written whole, and read as it was', async () => {
      const [first, second] = [member(anId(), 0), member(anId(), 0)];
      const rest = member(first.notification.groupId ?? '', 1);
      expect(kindsOf(await store.insertAccepted([first, second, rest]))).toEqual(Array(3).fill('inserted'));
      expect(await find(rest.notification.id)).toEqual(rest.notification);
    });

    it('is not written at all where one of it cannot be', async () => {
      const [groupId, other] = [anId(), anId()];
      const batch = [member(groupId, 0), member(groupId, 1, tooLarge), member(other, 0)];
      expect(kindsOf(await store.insertAccepted(batch))).toEqual(['unavailable', 'unavailable', 'inserted']);
      expect(await find(batch[0]?.notification.id ?? '')).toBeNull();
    });

    it('is one for each idempotency scope, whoever was first, with every member of it', async () => {
      const scope = anId();
      const make = () => {
        const groupId = anId();
        return [0, 1, 2].map((position) => member(groupId, position, {}, scope));
      };
      const stores = [test.another(), test.another(), test.another()].map((one) => new MongoAcceptStore(one));
      const results = await Promise.all(stores.map((one) => one.insertAccepted(make())));
      const kinds = results.map((one) => [...new Set(kindsOf(one))].join());
      expect(kinds.sort()).toEqual(['duplicate', 'duplicate', 'inserted']);
      const written = (await store.findByIdempotency([{ serviceName: 'test', scope }]))[0]?.notification.groupId ?? '';
      expect(await new MongoGroupStore(test.databases).ofGroup('test', written)).toHaveLength(3);
    });

    it('answers a repetition of the same write as the first', async () => {
      const groupId = anId();
      const batch = [0, 1].map((position) => member(groupId, position, {}, groupId));
      await store.insertAccepted(batch);
      expect(kindsOf(await store.insertAccepted(batch))).toEqual(['inserted', 'inserted']);
    });

    it('is whole also in a chunk that comes again', async () => {
      const bulkId = anId();
      const items = Array.from({ length: 5 }, (_, bulkIndex) => {
        const groupId = anId();
        return [0, 1].map((position) => member(groupId, position, { bulkId, bulkIndex }));
      }).flat();
      await store.insertAccepted(items.slice(0, 4));
      const broken = { ...items[5], ...member(items[5]?.notification.groupId ?? '', 1, { bulkId, ...tooLarge }) };
      const results = await store.insertAccepted([...items.slice(0, 5), broken, ...items.slice(6)]);
      expect(kindsOf(results)).toEqual([
        ...Array<string>(4).fill('inserted'),
        ...['unavailable', 'unavailable'],
        ...Array<string>(4).fill('inserted'),
      ]);
      expect(await find(items[4]?.notification.id ?? '')).toBeNull();
    });
  });

  it('keeps a chunk and single ones apart in one batch', async () => {
    const bulkId = anId();
    const results = await store.insertAccepted([accepted(), accepted({ bulkId, bulkIndex: 0 }), accepted()]);
    expect(results.map(({ kind }) => kind)).toEqual(['inserted', 'inserted', 'inserted']);
  });

  it('says unavailable for what it could not reach or does not know, and nothing else', async () => {
    const unknown = await store.insertAccepted([accepted({ serviceName: 'nobody' }), accepted()]);
    expect(unknown.map(({ kind }) => kind)).toEqual(['unavailable', 'inserted']);

    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    try {
      await behind.ping();
      proxy.cut();
      const entry = accepted();
      expect(await new MongoAcceptStore(behind).insertAccepted([entry])).toEqual([{ kind: 'unavailable' }]);
      expect(await find(entry.notification.id)).toBeNull();
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('finds by an index', async () => {
    const plans = await test.plansOf(() => store.findByIdempotency([{ serviceName: 'test', scope: 's' }]));
    expect(plans).toEqual([{ command: 'find', collection: 'notifications', indexes: ['idempotency'] }]);
  });
});
