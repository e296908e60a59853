import { beforeEach, describe, expect, it } from '@jest/globals';
import { CreateNotification } from '#contracts/http/notification';
import { draftNotification } from '#acceptance/command';
import { ListNotificationsQuery } from '#contracts/http/lists';
import type { Caller } from '#domain/caller';
import { InvalidCursor, NotFound, ServiceNotAllowed } from '#domain/errors';
import type { Notification } from '#domain/notification';
import { MemoryBulks, MemoryReadStore } from '#testing/memory-queries';
import { BulkQueries } from './bulks.js';
import { NotificationQueries } from './notifications.js';
import { StatisticsQueries } from './statistics.js';

const START = Date.parse('2026-11-21T08:00:00.000Z');
const caller: Caller = {
  actor: 'key:1',
  owner: 'tests',
  scopes: new Set(),
  services: new Set(['diabetes', 'wellness']),
};
const stranger: Caller = { ...caller, services: new Set(['maternity']) };
const BULK = 'b'.repeat(24);
let all: Notification[];

const add = (serviceName: string, changes: Partial<Notification> = {}): Notification => {
  const input = CreateNotification.parse({ userId: 'p-1', body: 'x' });
  const command = { input, raw: {}, idempotencyKey: null, traceparent: null, defaultOnLimit: 'fail' as const };
  const id = (all.length + 1).toString(16).padStart(24, '0');
  const origin = { id, serviceName, actor: 'key:1', owner: 'tests', bulk: null, country: undefined };
  const notification = { ...draftNotification(command, origin, new Date(START + all.length * 1_000)), ...changes };
  all.push(notification);
  return notification;
};
const sent = (afterMs: number): Partial<Notification> => ({
  state: 'sent',
  sentAt: new Date(START + all.length * 1_000 + afterMs),
});
const query = (values: Record<string, unknown> = {}) => ListNotificationsQuery.parse(values);

beforeEach(() => {
  all = [];
});

describe('NotificationQueries', () => {
  const queries = new NotificationQueries(new MemoryReadStore(() => all));

  it('find one in the services that the caller may use', async () => {
    const { id } = add('wellness');
    expect((await queries.one(caller, id)).id).toBe(id);
    await expect(queries.one(stranger, id)).rejects.toThrow(NotFound);
    await expect(queries.one(caller, 'f'.repeat(24))).rejects.toThrow(NotFound);
  });

  it('list over services, newest first, page by page', async () => {
    const ids = ['diabetes', 'maternity', 'wellness', 'diabetes', 'wellness'].map((service) => add(service).id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { data, page } = await queries.list(caller, query({ limit: '2', ...(cursor && { cursor }) }));
      seen.push(...data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([ids[4], ids[3], ids[2], ids[0]]);
  });

  it('pass every filter on', async () => {
    add('diabetes', { userId: 'p-2' });
    const { id } = add('diabetes', { userId: 'p-2', state: 'sent', channel: 'email' });
    const from = new Date(START).toISOString();
    const filters = {
      serviceName: 'diabetes',
      userId: 'p-2',
      status: 'sent',
      channel: ['email', 'push'],
      createdFrom: from,
    };
    expect((await queries.list(caller, query(filters))).data.map((item) => item.id)).toEqual([id]);
    expect((await queries.list(caller, query({ ...filters, createdTo: from }))).data).toEqual([]);
  });

  it('refuse a service that the caller may not use, and the cursor of another list', async () => {
    await expect(queries.list(caller, query({ serviceName: 'maternity' }))).rejects.toThrow(ServiceNotAllowed);
    add('diabetes');
    add('diabetes');
    const { page } = await queries.list(caller, query({ limit: '1' }));
    const other = query({ limit: '1', state: 'sent', cursor: page.nextCursor });
    await expect(queries.list(caller, other)).rejects.toThrow(InvalidCursor);
  });

  it('show what a user has not read', async () => {
    add('diabetes');
    const { id } = add('diabetes', { state: 'sent' });
    add('diabetes', { state: 'sent', readAt: new Date(START) });
    expect((await queries.unread(caller, 'diabetes', 'p-1', 5)).map((item) => item.id)).toEqual([id]);
    expect(await queries.unread(caller, 'diabetes', 'nobody', 5)).toEqual([]);
    await expect(queries.unread(stranger, 'diabetes', 'p-1', 5)).rejects.toThrow(NotFound);
  });
});

describe('StatisticsQueries', () => {
  const queries = new StatisticsQueries(new MemoryReadStore(() => all));

  it('sum what several services have', async () => {
    add('diabetes', { ...sent(1_000), type: 'alert' });
    add('wellness', sent(2_000));
    add('wellness', { state: 'failed' });
    add('diabetes');
    add('maternity');
    expect(await queries.of(caller, {})).toEqual({
      serviceName: null,
      createdFrom: null,
      createdTo: null,
      total: 4,
      byType: { alert: 1, reminder: 0, info: 3 },
      byStatus: { pending: 1, sent: 2, failed: 1, cancelled: 0 },
      successRate: 66.67,
      meanProcessingMs: 1500,
    });
  });

  it('look at one service and a period, and have no rate of nothing', async () => {
    add('diabetes', sent(1_000));
    const createdFrom = '2026-11-21T10:00:00+01:00';
    expect(await queries.of(caller, { serviceName: 'diabetes', createdFrom })).toMatchObject({
      serviceName: 'diabetes',
      createdFrom: '2026-11-21T09:00:00.000Z',
      total: 0,
      successRate: null,
      meanProcessingMs: null,
    });
    await expect(queries.of(caller, { serviceName: 'maternity' })).rejects.toThrow(ServiceNotAllowed);
    expect((await queries.of(stranger, {})).serviceName).toBe('maternity');
  });
});

describe('BulkQueries', () => {
  let bulks: MemoryBulks;
  let queries: BulkQueries;
  beforeEach(async () => {
    bulks = new MemoryBulks();
    queries = new BulkQueries(bulks, new MemoryReadStore(() => all), () => new Date(START));
    await bulks.begin({
      ...{ id: BULK, serviceName: 'diabetes', tenantId: null, actor: 'key:1', owner: 'tests' },
      ...{ total: 152, idempotency: null },
    });
    const refusals = Array.from({ length: 150 }, (_, index) => ({
      index,
      reference: null,
      errors: [{ in: 'body' as const, field: `/notifications/${index}/to`, code: 'invalid_email', message: 'x' }],
    }));
    await bulks.run(BULK, 2, refusals);
  });

  it('count progress, and show the first refusals', async () => {
    add('diabetes', { bulkId: BULK });
    add('diabetes', { bulkId: BULK, ...sent(1) });
    const bulk = await queries.one(caller, BULK);
    expect(bulk).toMatchObject({ status: 'running', completedAt: null, refusedTruncated: true });
    expect(bulk.counts).toEqual({
      total: 152,
      accepted: 2,
      refused: 150,
      notifications: 2,
      pending: 1,
      sent: 1,
      failed: 0,
      cancelled: 0,
    });
    expect(bulk.refused).toHaveLength(100);
  });

  it('notice that it has ended', async () => {
    add('diabetes', { bulkId: BULK, ...sent(1) });
    const completed = { status: 'completed', completedAt: '2026-11-21T08:00:00.000Z' };
    expect(await queries.one(caller, BULK)).toMatchObject(completed);
    expect(await queries.one(caller, BULK)).toMatchObject(completed);
    await bulks.move(BULK, ['completed'], 'cancelling', new Date());
    expect(await queries.one(caller, BULK)).toMatchObject({ status: 'cancelled' });
  });

  it('show what stands when someone else moved it meanwhile', async () => {
    const move = bulks.move.bind(bulks);
    bulks.move = async (id, from, _to, at) => {
      await move(id, from, 'cancelling', at);
      return null;
    };
    expect((await queries.one(caller, BULK)).status).toBe('cancelling');
  });

  it('list all refusals by index', async () => {
    const first = await queries.refusals(caller, BULK, { limit: 100 });
    const second = await queries.refusals(caller, BULK, { limit: 100, cursor: first.page.nextCursor ?? undefined });
    expect([...first.data, ...second.data].map(({ index }) => index)).toEqual(Array.from({ length: 150 }, (_, n) => n));
    await expect(queries.refusals(caller, BULK, { limit: 1, cursor: 'x' })).rejects.toThrow(InvalidCursor);
  });

  it('show nothing to those who may not use its service', async () => {
    await expect(queries.one(stranger, BULK)).rejects.toThrow(NotFound);
    await expect(queries.refusals(stranger, BULK, { limit: 1 })).rejects.toThrow(NotFound);
    await expect(queries.one(caller, 'c'.repeat(24))).rejects.toThrow(NotFound);
  });
});
