import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Notification } from '#domain/notification';
import { statusOfNotification } from '#domain/states';
import type { NotificationFilter, Position } from '#queries/ports';
import { accepted, aDelivery, aNotification, anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoAcceptStore } from './accept-store.js';
import { MongoReadStore } from './read-store.js';

const at = (second: number): Date => new Date(Date.UTC(2026, 10, 21, 8, 0, second));
const BOTH = ['diabetes', 'test'];

describe('read store', () => {
  let test: TestDatabases;
  let store: MongoReadStore;
  let all: Notification[];
  const bulkId = anId();
  const groupId = anId();

  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoReadStore(test.databases);
    all = Array.from({ length: 40 }, (_, index) =>
      aNotification({
        serviceName: index % 4 === 0 ? 'diabetes' : 'test',
        // Five of each time.
        createdAt: at(Math.floor(index / 5)),
        userId: `p-${index % 3}`,
        type: index % 2 === 0 ? 'alert' : 'info',
        channel: index % 5 === 0 ? 'email' : 'push',
        tenantId: index % 8 === 0 ? 'clinic' : null,
        reference: index === 7 ? 'rx-7' : null,
        bulkId: index >= 30 ? bulkId : null,
        groupId: index === 3 ? groupId : null,
        ...(index % 10 === 1 ? { state: 'sent' as const, sentAt: at(Math.floor(index / 5) + 2) } : {}),
        ...(index % 10 === 2 ? { state: 'failed' as const } : {}),
        ...(index === 11 ? { readAt: at(9) } : {}),
        deliveries: [aDelivery('1', { target: 'secret' })],
        html: '<p></p>',
      }),
    );
    await new MongoAcceptStore(test.databases).insertAccepted(
      all.map((notification) => accepted(notification, null, null)),
    );
  });
  afterAll(() => test.drop());

  const order = (some: readonly Notification[]): string[] =>
    [...some]
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
      .map(({ id }) => id);
  const walk = async (filter: NotificationFilter, limit: number): Promise<string[]> => {
    const seen: string[] = [];
    let after: Position | null = null;
    for (;;) {
      const page: Notification[] = await store.list(filter, limit, after);
      seen.push(...page.map(({ id }) => id));
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return seen;
      after = { createdAt: last.createdAt, id: last.id };
    }
  };

  it('finds one', async () => {
    const [one] = all;
    expect(await store.find(one?.id ?? '', BOTH)).toEqual(one);
  });

  it.each([1, 3, 5, 7, 40, 100])('lists newest first over all databases, %s to the page', async (limit) => {
    expect(await walk({ services: BOTH }, limit)).toEqual(order(all));
  });

  it.each<[string, Omit<NotificationFilter, 'services'>, (one: Notification) => boolean]>([
    ['user', { userId: 'p-1' }, ({ userId }) => userId === 'p-1'],
    ['tenant', { tenantId: 'clinic' }, ({ tenantId }) => tenantId === 'clinic'],
    ['reference', { reference: 'rx-7' }, ({ reference }) => reference === 'rx-7'],
    ['bulk', { bulkId }, (one) => one.bulkId === bulkId],
    ['group', { groupId }, (one) => one.groupId === groupId],
    ['status', { status: ['sent'] }, ({ state }) => state === 'sent'],
    ['statuses', { status: ['sent', 'failed'] }, ({ state }) => state === 'sent' || state === 'failed'],
    ['state', { state: ['failed'] }, ({ state }) => state === 'failed'],
    [
      'channel and type',
      { channel: ['email'], type: ['alert'] },
      (one) => one.channel === 'email' && one.type === 'alert',
    ],
    ['period', { createdFrom: at(2), createdTo: at(5) }, ({ createdAt }) => createdAt >= at(2) && createdAt < at(5)],
    [
      'everything',
      { userId: 'p-1', status: ['pending'], createdTo: at(5), type: ['info'] },
      (one) => one.userId === 'p-1' && one.state === 'approved' && one.createdAt < at(5) && one.type === 'info',
    ],
  ])('lists by %s', async (_what, filter, expected) => {
    const wanted = order(all.filter(expected));
    expect(wanted.length).toBeGreaterThan(0);
    expect(await walk({ services: BOTH, ...filter }, 3)).toEqual(wanted);
  });

  it('lists nothing of services that are not asked for, or do not exist', async () => {
    expect(await walk({ services: ['diabetes', 'nobody'] }, 50)).toEqual(
      order(all.filter(({ serviceName }) => serviceName === 'diabetes')),
    );
    expect(await store.list({ services: [] }, 10, null)).toEqual([]);
  });

  it('shows neither content nor targets in a list', async () => {
    const [listed] = await store.list({ services: BOTH }, 1, null);
    expect(listed).toMatchObject({ body: '', html: null, data: {}, to: null, history: [] });
    expect(listed?.deliveries[0]?.status).toBe('sent');
    expect(JSON.stringify(listed)).not.toContain('secret');
  });

  it('finds what a user has not read', async () => {
    const unread = await store.findUnreadByUser('p-1', 'test', 20);
    const expected = all.filter(
      (one) => one.userId === 'p-1' && one.serviceName === 'test' && one.state === 'sent' && one.readAt === null,
    );
    expect(unread.map(({ id }) => id)).toEqual(order(expected));
    expect(expected.length).toBeGreaterThan(0);
    expect(await store.findUnreadByUser('p-1', 'test', 1)).toHaveLength(1);
  });

  it('counts by status, service and period', async () => {
    const of = (from: number, to: number): number =>
      all.filter(
        (one) =>
          one.serviceName === 'test' && one.state === 'sent' && one.createdAt >= at(from) && one.createdAt < at(to),
      ).length;
    expect(await store.countByStatusAndService('sent', 'test', at(0), at(60))).toBe(of(0, 60));
    expect(await store.countByStatusAndService('sent', 'test', at(1), at(5))).toBe(of(1, 5));
    expect(await store.countByStatusAndService('cancelled', 'test', at(0), at(60))).toBe(0);
  });

  it('sums up a service', async () => {
    const mine = all.filter(({ serviceName }) => serviceName === 'test');
    const sent = mine.filter(({ sentAt }) => sentAt !== null);
    expect(await store.getStatisticsByService('test', {})).toEqual({
      total: mine.length,
      byType: {
        alert: mine.filter(({ type }) => type === 'alert').length,
        reminder: 0,
        info: mine.filter(({ type }) => type === 'info').length,
      },
      byStatus: {
        pending: mine.filter(({ state }) => state === 'approved').length,
        sent: sent.length,
        failed: mine.filter(({ state }) => state === 'failed').length,
        cancelled: 0,
      },
      processing: { sumMs: 2_000 * sent.length, count: sent.length },
    });
    expect((await store.getStatisticsByService('test', { from: at(2), to: at(4) })).total).toBe(
      mine.filter(({ createdAt }) => createdAt >= at(2) && createdAt < at(4)).length,
    );
    expect((await store.getStatisticsByService('diabetes', {}, 'clinic')).total).toBe(5);
    expect((await store.getStatisticsByService('test', { to: at(0) })).total).toBe(0);
  });

  it('counts a bulk', async () => {
    const counts = await store.countBulk('test', bulkId);
    expect(counts.sent).toBe(1);
    expect(counts.failed).toBe(0);
    expect(Object.values(counts).reduce((sum, one) => sum + one)).toBe(
      all.filter((one) => one.bulkId === bulkId && one.serviceName === 'test').length,
    );
  });

  it('goes through what is pending of a bulk by id', async () => {
    const pending = all
      .filter((one) => one.bulkId === bulkId && one.serviceName === 'test' && statusOfNotification(one) === 'pending')
      .map(({ id }) => id)
      .sort();
    expect(pending.length).toBeGreaterThan(2);
    const [first = '', second = ''] = pending;
    const ids = async (limit: number, after: string | null): Promise<string[]> =>
      (await store.pendingOfBulk('test', bulkId, limit, after)).map(({ id }) => id);
    expect(await ids(1, null)).toEqual([first]);
    expect(await ids(1, first)).toEqual([second]);
    expect(await ids(100, first)).toEqual(pending.slice(1));
    expect(await ids(100, pending.at(-1) ?? '')).toEqual([]);
  });

  it('asks indexes alone', async () => {
    const list = (filter: Omit<NotificationFilter, 'services'>, after: Position | null = null) =>
      test.plansOf(() => store.list({ services: ['test'], ...filter }, 5, after));
    const used = async (plans: ReturnType<typeof list>): Promise<string[]> => [
      ...new Set((await plans).flatMap(({ indexes }) => indexes)),
    ];
    expect(await used(list({}))).toEqual(['retention']);
    expect(await used(list({ type: ['info'], state: ['draft'] }, { createdAt: at(3), id: anId() }))).toEqual([
      'retention',
    ]);
    expect(await used(list({ userId: 'p-1' }))).toEqual(['user_newest']);
    expect(await used(list({ userId: 'p-1', status: ['sent'] }))).toHaveLength(1);
    expect(await used(list({ status: ['sent'] }))).toEqual(['status_service_newest']);
    expect(await used(list({ reference: 'rx-7' }))).toEqual(['reference']);
    expect(await used(list({ bulkId }))).toEqual(['_id_']);
    expect(await used(list({ groupId }))).toEqual(['group']);
    const others = await test.plansOf(async () => {
      await store.findUnreadByUser('p-1', 'test', 20);
      await store.countByStatusAndService('sent', 'test', at(0), at(1));
      await store.getStatisticsByService('test', {});
      await store.countBulk('test', bulkId);
      await store.pendingOfBulk('test', bulkId, 10, anId());
    });
    expect(others.map(({ command, indexes }) => `${command} ${indexes.join()}`)).toEqual([
      'aggregate user_newest',
      'aggregate status_service_newest',
      'aggregate retention',
      'aggregate _id_',
      'find _id_',
    ]);
  });
});
