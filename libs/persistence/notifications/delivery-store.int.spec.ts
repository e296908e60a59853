import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NotificationError } from '#domain/notification';
import type { Notification } from '#domain/notification';
import { waitOfAtLeast } from '#domain/retry';
import { settled, type Settlement } from '#domain/settle';
import { RELAY_GRACE_MS } from '#domain/change';
import { accepted, aDelivery, anId, anOutbox, aSettlement } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { createProxy } from '#testing/proxy';
import { Databases } from '../databases.js';
import { fromDocument } from './document.js';
import { MongoAcceptStore } from './accept-store.js';
import { MongoDeliveryStore } from './delivery-store.js';
import { MongoNotificationStore } from './notification-store.js';
import { notifications, type NotificationDocument } from './schema.js';
import { objectIdOf } from '../schema.js';

const ERROR: NotificationError = {
  code: 'provider_unavailable',
  class: 'provider',
  message: 'FCM answered 503',
  at: new Date('2026-11-21T08:00:00.000Z'),
};

describe('delivery store', () => {
  let test: TestDatabases;
  let store: MongoDeliveryStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoDeliveryStore(test.databases);
  });
  afterAll(() => test.drop());

  const insert = async (count: number, over: Partial<Notification> = {}): Promise<string[]> => {
    const batch = Array.from({ length: count }, () => accepted(over));
    await new MongoAcceptStore(test.databases).insertAccepted(batch);
    return batch.map(({ notification }) => notification.id);
  };
  const claim = (ids: readonly string[], token: string = anId(), one = store): Promise<Notification[]> =>
    one.claim({ serviceName: 'test', ids, token, leaseMs: 60_000 });
  const raw = async (id: string): Promise<NotificationDocument> => {
    const _id = objectIdOf(id);
    const found = await test.databases.inService('test', notifications, (one) =>
      _id === null ? Promise.resolve(null) : one.findOne({ _id }),
    );
    if (found === null) throw new Error('not there');
    return found;
  };
  /** What stands of those whose lease held. */
  const settle = async (settlements: readonly Settlement[], one = store): Promise<(Notification | null)[]> => {
    const held = await one.settle(settlements);
    return Promise.all(
      settlements.map(async ({ id }, index) => (held[index] === true ? fromDocument(await raw(id)) : null)),
    );
  };
  const update = (ids: readonly string[], set: Record<string, unknown>): Promise<unknown> =>
    test.databases.inService('test', notifications, (collection) =>
      collection.updateMany({ _id: { $in: ids.flatMap((id) => objectIdOf(id) ?? []) } }, { $set: set }),
    );

  describe('claim', () => {
    it('takes what is approved and due', async () => {
      const [due, later, draft] = [
        ...(await insert(1)),
        ...(await insert(1, { nextAttemptAt: new Date(Date.now() + 3_600_000) })),
        ...(await insert(1, { state: 'draft', approvedAt: null, nextAttemptAt: null })),
      ];
      const before = await test.databases.now();
      const claimed = await claim([due ?? '', later ?? '', draft ?? '', anId(), 'no id'], 'token-1');
      expect(claimed).toHaveLength(1);
      const [one] = claimed;
      expect(one).toMatchObject({ id: due, state: 'sending', version: 2, claims: 1, waiting: null });
      expect(one?.lease?.token).toBe('token-1');
      expect(one?.lease?.until.getTime()).toBeGreaterThanOrEqual(before.getTime() + 60_000);
      expect(one?.history.at(-1)).toMatchObject({ from: 'approved', to: 'sending', actor: 'dispatcher', reason: null });
      expect(one?.nextAttemptAt).not.toBeNull();
      expect(await raw(due ?? '')).toMatchObject({ status: 'pending', state: 'sending' });
    });

    it('takes away the wake that is owed, and leaves a status that nobody was told', async () => {
      const [plain] = await insert(1);
      const [retried] = await insert(1);
      await update([plain ?? ''], { outbox: anOutbox({ status: false }) });
      await update([retried ?? ''], { outbox: anOutbox({ previousStatus: 'failed' }) });
      await claim([plain ?? '', retried ?? '']);
      expect((await raw(plain ?? '')).outbox).toBeUndefined();
      expect((await raw(retried ?? '')).outbox).toMatchObject({ wake: false, status: true, previousStatus: 'failed' });
    });

    it('gives each to one alone, however many claim at once', async () => {
      const ids = await insert(300);
      const stores = [test.another(), test.another(), test.another()].map((one) => new MongoDeliveryStore(one));
      const claims = await Promise.all([...stores, store].map((one) => claim(ids, anId(), one)));
      const taken = claims.flat().map(({ id }) => id);
      expect(taken).toHaveLength(300);
      expect(new Set(taken).size).toBe(300);
    });

    it('gives nothing twice', async () => {
      const ids = await insert(2);
      expect(await claim(ids, 'first')).toHaveLength(2);
      expect(await claim(ids, 'another')).toEqual([]);
    });
  });

  describe('freezeDeliveries', () => {
    it('writes targets under the lease that still holds', async () => {
      const ids = await insert(2);
      const [held, lost] = ids;
      await claim(ids, 'mine');
      await update([lost ?? ''], { 'lease.token': 'of another' });
      const frozen = ids.map((id) => ({
        id,
        deliveries: [aDelivery(id, { status: 'open', target: `of ${id}`, attempts: [] })],
      }));
      expect(await store.freezeDeliveries('test', 'mine', frozen)).toEqual(new Set([held]));
      expect((await raw(held ?? '')).deliveries).toEqual(frozen[0]?.deliveries);
      expect((await raw(lost ?? '')).deliveries).toBeUndefined();
      expect(await store.freezeDeliveries('test', 'mine', [])).toEqual(new Set());
    });
  });

  describe('settle', () => {
    it('writes each its own results, whatever they are, in order', async () => {
      const ids = await insert(40, { alone: true });
      const claimed = await claim(ids);
      const settlements = claimed.map((one, index) =>
        aSettlement(one, { deliveries: [aDelivery(one.id, { target: `t${index}` })] }),
      );
      const settled = await settle(settlements.toReversed());
      expect(settled.map((one) => one?.id)).toEqual(claimed.map(({ id }) => id).toReversed());
      settled.toReversed().forEach((one, index) => {
        expect(one).toMatchObject({
          state: 'sent',
          version: 3,
          attempt: 1,
          claims: 0,
          alone: false,
          lease: null,
          nextAttemptAt: null,
          waiting: null,
          lastError: null,
        });
        expect(one?.deliveries).toEqual(settlements[index]?.deliveries);
        expect(one?.sentAt).toEqual(one?.updatedAt);
        expect(one?.history.at(-1)).toMatchObject({ from: 'sending', to: 'sent', actor: 'dispatcher' });
      });
      const { status, outbox, updatedAt } = await raw(ids[0] ?? '');
      expect(status).toBe('sent');
      expect(outbox).toEqual({
        at: new Date(updatedAt.getTime() + RELAY_GRACE_MS),
        wake: false,
        status: true,
        previousStatus: 'pending',
        deadLetter: false,
      });
    });

    it('writes no debt on what its claim owes', async () => {
      const ids = await insert(2);
      await update(ids, { outbox: anOutbox() });
      await settle((await claim(ids)).map((one) => aSettlement(one, { owedByClaim: one.id === ids[0] })));
      const outboxes = await Promise.all(ids.map(async (id) => (await raw(id)).outbox?.previousStatus));
      expect(outboxes).toEqual([undefined, 'pending']);
    });

    it('knows every end', async () => {
      const claimed = await claim(await insert(3));
      const [failed, uncertain, expired] = await settle([
        ...claimed.slice(0, 1).map((one) =>
          aSettlement(one, {
            state: 'failed',
            status: 'failed',
            lastError: ERROR,
            reason: ERROR.code,
            deliveries: [aDelivery(one.id, { status: 'failed' })],
          }),
        ),
        ...claimed.slice(1, 2).map((one) =>
          aSettlement(one, {
            state: 'uncertain',
            status: 'pending',
            deliveries: [aDelivery(one.id, { status: 'uncertain' })],
          }),
        ),
        ...claimed.slice(2).map((one) => aSettlement(one, { state: 'expired', status: 'failed', deliveries: [] })),
      ]);
      expect(failed).toMatchObject({ state: 'failed', lastError: ERROR, sentAt: null });
      expect(failed?.failedAt).toEqual(failed?.updatedAt);
      expect(failed?.history.at(-1)?.reason).toBe(ERROR.code);
      expect((await raw(failed?.id ?? '')).outbox).toMatchObject({ status: true, deadLetter: true });
      expect(uncertain).toMatchObject({
        state: 'uncertain',
        waiting: { reason: 'resolution', until: null },
        failedAt: null,
      });
      expect((await raw(uncertain?.id ?? '')).outbox).toMatchObject({ status: true, deadLetter: false });
      expect(expired).toMatchObject({ state: 'expired' });
      expect(expired?.failedAt).toEqual(expired?.updatedAt);
      expect((await raw(expired?.id ?? '')).status).toBe('failed');
    });

    it('goes back to wait, by the database’s clock, with the first success kept', async () => {
      const ids = await insert(2);
      await update(ids, { outbox: anOutbox({ status: false }) });
      const claimed = await claim(ids);
      const wait = waitOfAtLeast(2_000, 0);
      const settled = await settle(
        claimed.map((one, index) =>
          aSettlement(one, {
            state: 'approved',
            status: 'pending',
            lastError: ERROR,
            reason: ERROR.code,
            deliveries: [aDelivery(one.id, { status: index === 0 ? 'open' : 'sent' })],
            wait: { ...wait, reason: 'retry', until: null },
          }),
        ),
      );
      const [waiting, partly] = settled;
      const due = new Date((waiting?.updatedAt.getTime() ?? 0) + wait.ms);
      expect(waiting).toMatchObject({
        state: 'approved',
        nextAttemptAt: due,
        waiting: { reason: 'retry', until: due },
      });
      expect(waiting?.sentAt).toBeNull();
      expect(partly?.sentAt).toEqual(partly?.updatedAt);
      expect((await raw(waiting?.id ?? '')).outbox).toEqual({
        at: new Date(due.getTime() + RELAY_GRACE_MS),
        wake: true,
        status: false,
        previousStatus: null,
        deadLetter: false,
      });
      expect(await claim([waiting?.id ?? ''])).toEqual([]);
      await update([partly?.id ?? ''], { nextAttemptAt: new Date(0) });
      const [again] = await claim([partly?.id ?? '']);
      const [sent] = again === undefined ? [] : await settle([aSettlement(again)]);
      expect(sent?.sentAt).toEqual(partly?.sentAt);
    });

    it('keeps the first and the latest of a long history', async () => {
      const [id] = await insert(1);
      const entry = {
        from: 'sending' as const,
        to: 'approved' as const,
        at: new Date(),
        actor: 'dispatcher',
        reason: 'x',
      };
      await update([id ?? ''], {
        history: [{ ...entry, from: null, actor: 'key:first' }, ...Array<typeof entry>(300).fill(entry)],
      });
      const claimed = await claim([id ?? '']);
      const wait = { ...waitOfAtLeast(1_000, 0), reason: 'rate_limit' as const, until: null };
      const [settled] = await settle(
        claimed.map((one) => aSettlement(one, { state: 'approved', status: 'pending', reason: 'last', wait })),
      );
      expect(settled?.history).toHaveLength(201);
      expect(settled?.history[0]?.actor).toBe('key:first');
      expect(settled?.history.at(-1)?.reason).toBe('last');
    });

    it('changes nothing once the lease is another’s', async () => {
      const ids = await insert(3);
      const claimed = await claim(ids);
      const [, stolen, recovered] = claimed;
      await update([stolen?.id ?? ''], { 'lease.token': 'of another' });
      await new MongoNotificationStore(test.databases).change({
        id: recovered?.id ?? '',
        serviceName: 'test',
        version: 2,
        state: 'approved',
        set: {},
        outbox: null,
      });
      const results = await settle(claimed.map((one) => aSettlement(one)));
      expect(results.map((one) => one?.state ?? null)).toEqual(['sent', null, null]);
      expect(await raw(stolen?.id ?? '')).toMatchObject({ state: 'sending', version: 2 });
      expect(await raw(recovered?.id ?? '')).toMatchObject({ state: 'approved', version: 3 });
    });

    it('answers a repetition with what it wrote before', async () => {
      const claimed = await claim(await insert(2));
      const settlements = claimed.map((one) => aSettlement(one));
      const first = await settle(settlements);
      expect(await settle(settlements)).toEqual(first);
    });

    it('leaves what the domain says that it leaves', async () => {
      const claimed = await claim(await insert(5, { lastError: ERROR }));
      const open = aDelivery(anId(), { status: 'open' });
      const ends: Partial<Settlement>[] = [
        {},
        { state: 'failed', status: 'failed', deliveries: [{ ...open, status: 'failed' }] },
        { state: 'uncertain', status: 'pending', deliveries: [{ ...open, status: 'uncertain' }], lastError: ERROR },
        { state: 'expired', status: 'failed', deliveries: [] },
        {
          state: 'approved',
          status: 'pending',
          deliveries: [aDelivery(anId()), open],
          wait: { ...waitOfAtLeast(4_000, 0.5), reason: 'provider', until: null },
        },
      ];
      const settlements = claimed.map((one, index) => aSettlement(one, ends[index]));
      await settle(settlements);
      for (const [index, one] of claimed.entries()) {
        const settlement = settlements[index] ?? aSettlement(one);
        const { history, ...found } = fromDocument(await raw(one.id));
        const { history: before, ...expected } = settled(one, settlement, found.updatedAt);
        expect(found).toEqual(expected);
        expect(history).toHaveLength(before.length + 1);
      }
    });

    it('settles several claims, services and states together', async () => {
      const [a, b] = [await claim(await insert(3), 'token-a'), await claim(await insert(3), 'token-b')];
      const [first] = a;
      const swapped = a.slice(1, 2).map((one) => aSettlement(one, { token: 'token-b' }));
      const again = a.slice(0, 1).map((one) => aSettlement(one, { state: 'failed', status: 'failed' }));
      const batch = [
        ...a.slice(0, 1).map((one) => aSettlement(one)),
        ...swapped,
        ...a.slice(2).map((one) => aSettlement(one, { state: 'failed', status: 'failed' })),
        ...b.map((one) => aSettlement(one)),
        ...again,
      ];
      const results = await settle(batch);
      expect(results.map((one) => one?.state ?? null)).toEqual([
        'sent',
        null,
        'failed',
        'sent',
        'sent',
        'sent',
        'sent',
      ]);
      expect((await raw(first?.id ?? '')).version).toBe(3);
    });
  });

  it('tells the truth when the answers were lost on the way', async () => {
    const proxy = await createProxy(test.databases.settings.MONGODB_URI);
    const behind = new Databases({ ...test.databases.settings, MONGODB_URI: proxy.uri });
    const remote = new MongoDeliveryStore(behind);
    try {
      await behind.ping();
      const entries = [accepted({}, { scope: anId(), fingerprint: 'f' }), accepted()];
      const ids = entries.map(({ notification }) => notification.id);
      const standing = async (state: string): Promise<boolean> =>
        (await Promise.all(ids.map((id) => raw(id).catch(() => null)))).every((one) => one?.state === state);

      const inserted = await proxy.losingAnswers(
        () => new MongoAcceptStore(behind).insertAccepted(entries),
        () => standing('approved'),
      );
      expect(inserted).toEqual([{ kind: 'inserted' }, { kind: 'inserted' }]);
      const claimed = await proxy.losingAnswers(
        () => claim(ids, 'mine', remote),
        () => standing('sending'),
      );
      expect(claimed.map(({ version }) => version)).toEqual([2, 2]);
      const settled = await proxy.losingAnswers(
        () =>
          settle(
            claimed.map((one) => aSettlement(one)),
            remote,
          ),
        () => standing('sent'),
      );
      expect(settled.map((one) => [one?.state, one?.version])).toEqual([
        ['sent', 3],
        ['sent', 3],
      ]);
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('asks indexes alone', async () => {
    const ids = await insert(2);
    const plans = await test.plansOf(async () => {
      const claimed = await claim(ids, 'planned');
      await store.freezeDeliveries(
        'test',
        'planned',
        claimed.map(({ id }) => ({ id, deliveries: [] })),
      );
      await store.settle(claimed.map((one) => aSettlement(one)));
      await store.settle(claimed.map((one) => aSettlement(one)));
      await claim(await insert(1));
    });
    expect(plans.map(({ command }) => command)).toEqual([
      ...['update', 'find', 'update', 'update', 'update', 'find', 'findAndModify'],
    ]);
    expect(new Set(plans.flatMap(({ indexes }) => indexes))).toEqual(new Set(['_id_']));
  });
});
