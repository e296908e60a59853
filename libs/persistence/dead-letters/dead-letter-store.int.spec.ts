import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '#domain/dead-letter';
import type { DeadLetterFilter } from '#lifecycle/ports';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { objectIdsOf } from '../schema.js';
import { MongoDeadLetterStore } from './dead-letter-store.js';
import { deadLetters } from './schema.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 21, 8, minute));
const aDeadLetter = (over: Partial<DeadLetter> = {}): DeadLetter => ({
  id: anId(),
  notificationId: anId(),
  round: 1,
  serviceName: 'test',
  tenantId: null,
  channel: 'push',
  class: 'provider',
  status: 'waiting',
  code: 'provider_unavailable',
  reason: 'FCM answered 503',
  queue: null,
  retryAt: null,
  createdAt: at(0),
  updatedAt: at(0),
  errors: [],
  message: null,
  ...over,
});
const refused = (over: Partial<DeadLetter> = {}, messageId: string | null = anId()): DeadLetter =>
  aDeadLetter({
    notificationId: null,
    round: null,
    serviceName: null,
    channel: null,
    class: 'schema',
    queue: 'notifications.intake.send',
    errors: [{ in: 'body', field: '/body', code: 'required', message: 'is required' }],
    message: { type: null, messageId, correlationId: null, userId: 'billing', payload: 'e30=' },
    ...over,
  });

describe('dead-letter store', () => {
  let test: TestDatabases;
  let store: MongoDeadLetterStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoDeadLetterStore(test.databases);
  });
  beforeEach(() => test.databases.inControl(deadLetters, (collection) => collection.deleteMany({})));
  afterAll(() => test.drop());

  it('keeps one for each notification and round', async () => {
    const first = aDeadLetter();
    expect(await store.record(first)).toBe(true);
    expect(await store.record({ ...first, id: anId(), code: 'other' })).toBe(false);
    expect(await store.record({ ...first, id: anId(), round: 2 })).toBe(true);
    expect(await store.find(first.id)).toEqual(first);
    expect(await store.find(anId())).toBeNull();
    expect(await store.find('no id')).toBeNull();
  });

  it('keeps one for each message of a producer, and each without an id', async () => {
    const first = refused();
    expect(await store.record(first)).toBe(true);
    expect(await store.record({ ...first, id: anId() })).toBe(false);
    expect(await store.record({ ...first, id: anId(), queue: 'notifications.intake.bulk' })).toBe(true);
    expect(await store.record(refused({}, null))).toBe(true);
    expect(await store.record(refused({}, null))).toBe(true);
    expect(await store.find(first.id)).toEqual(first);
  });

  it('says once that one is new, however many record it', async () => {
    const same = aDeadLetter();
    const stores = [test.another(), test.another(), test.another()].map((one) => new MongoDeadLetterStore(one));
    const news = await Promise.all(stores.map((one) => one.record({ ...same, id: anId() })));
    expect(news.filter(Boolean)).toHaveLength(1);
  });

  it('moves from where it stands, and remembers who did', async () => {
    const one = aDeadLetter({ retryAt: at(60) });
    await store.record(one);
    const moved = await store.move(one.id, ['waiting', 'archived'], 'dropped', 'key:$1');
    expect(moved).toEqual({ ...one, status: 'dropped', retryAt: null, updatedAt: moved?.updatedAt });
    expect(await store.move(one.id, ['waiting'], 'retried', 'key:1')).toBeNull();
    expect(await store.move('no id', ['waiting'], 'retried', 'key:1')).toBeNull();
    const raw = await test.databases.inControl(deadLetters, (all) =>
      all.findOne({ _id: { $in: objectIdsOf([one.id]) } }),
    );
    expect(raw?.moves).toEqual([{ from: 'waiting', to: 'dropped', at: moved?.updatedAt, actor: 'key:$1' }]);
  });

  it('closes what a notification left, and nothing that was decided', async () => {
    const waiting = aDeadLetter();
    const archived = { ...aDeadLetter({ round: 2, status: 'archived' }), notificationId: waiting.notificationId };
    const dropped = { ...aDeadLetter({ round: 3, status: 'dropped' }), notificationId: waiting.notificationId };
    for (const one of [waiting, archived, dropped]) {
      await store.record(one);
      await store.closeFor(waiting.notificationId ?? '', one.round ?? 0, 'retried');
    }
    await store.closeFor(anId(), 1, 'retried');
    const statuses = await Promise.all(
      [waiting, archived, dropped].map(async ({ id }) => (await store.find(id))?.status),
    );
    expect(statuses).toEqual(['retried', 'retried', 'dropped']);
  });

  it('shows pages, newest first, of services that are named and of none', async () => {
    const all = [
      ...[0, 1, 1, 2, 3].map((minute) => aDeadLetter({ createdAt: at(minute) })),
      aDeadLetter({ serviceName: 'diabetes', createdAt: at(1), channel: 'email', class: 'recipient' }),
      refused({ createdAt: at(2) }),
      aDeadLetter({ serviceName: 'wellness', createdAt: at(1) }),
      aDeadLetter({ status: 'dropped', createdAt: at(2) }),
    ];
    for (const one of all) await store.record(one);
    const walk = async (filter: DeadLetterFilter): Promise<string[]> => {
      const seen: string[] = [];
      let before: DeadLetter | null = null;
      for (;;) {
        const page: DeadLetter[] = await store.page(filter, 2, before);
        seen.push(...page.map(({ id }) => id));
        before = page.at(-1) ?? before;
        if (page.length < 2) return seen;
      }
    };
    const expected = (of: (one: DeadLetter) => boolean): string[] =>
      all
        .filter(of)
        .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
    const services = new Set(['test', 'diabetes']);
    const visible = ({ serviceName }: DeadLetter): boolean => serviceName === null || services.has(serviceName);
    expect(await walk({ services })).toEqual(expected(visible));
    expect(await walk({ services, serviceName: 'diabetes' })).toEqual(
      expected((one) => one.serviceName === 'diabetes'),
    );
    expect(await walk({ services, serviceName: 'wellness' })).toEqual([]);
    expect(await walk({ services, channel: 'email', class: 'recipient', status: 'waiting' })).toHaveLength(1);
    expect(await walk({ services, createdFrom: at(1), createdTo: at(2) })).toEqual(
      expected((one) => visible(one) && one.createdAt >= at(1) && one.createdAt < at(2)),
    );
    expect(await walk({ services, status: 'dropped' })).toHaveLength(1);
  });

  it('finds those whose time has come', async () => {
    const due = aDeadLetter({ retryAt: new Date(Date.now() - 2_000) });
    const sooner = aDeadLetter({ retryAt: new Date(Date.now() - 5_000) });
    const later = aDeadLetter({ retryAt: new Date(Date.now() + 60_000) });
    const done = aDeadLetter({ retryAt: new Date(Date.now() - 2_000), status: 'retried' });
    for (const one of [due, sooner, later, done, aDeadLetter()]) await store.record(one);
    expect((await store.due(10)).map(({ id }) => id)).toEqual([sooner.id, due.id]);
    expect(await store.due(1)).toHaveLength(1);
  });

  it('asks indexes alone', async () => {
    const one = aDeadLetter();
    await store.record(one);
    const filter = { services: new Set(['test']), status: 'waiting' as const };
    const plans = await test.plansOf(async () => {
      await store.record({ ...one, id: anId() });
      await store.find(one.id);
      await store.page(filter, 10, null);
      await store.page(filter, 10, one);
      await store.due(10);
      await store.closeFor(one.notificationId ?? '', 1, 'resolved');
      await store.move(one.id, ['waiting'], 'dropped', 'key:1');
    });
    expect(plans.map(({ indexes }) => indexes.join())).toEqual([
      'subject,_id_',
      '_id_',
      'newest',
      'newest',
      'due',
      'subject',
      '_id_',
    ]);
  });
});
