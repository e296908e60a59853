import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BulkRefusal, NewBulk } from '#acceptance/ports';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import type { OwedBulk } from '#upkeep/ports';
import { objectIdsOf } from '../schema.js';
import { MongoBulkStore } from './bulk-store.js';
import { bulks } from './schema.js';

const LEASE_MS = 60_000;
const aBulk = (over: Partial<NewBulk> = {}): NewBulk => ({
  id: anId(),
  serviceName: 'test',
  tenantId: null,
  actor: 'key:1',
  owner: 'billing',
  total: 3,
  idempotency: null,
  ...over,
});
const aRefusal = (index: number): BulkRefusal => ({
  index,
  reference: null,
  errors: [{ in: 'body', field: `/notifications/${index}/to`, code: 'invalid_email', message: 'must be an address' }],
});

describe('bulk store', () => {
  let test: TestDatabases;
  let store: MongoBulkStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoBulkStore(test.databases);
  });
  afterAll(() => test.drop());

  const endLease = (id: string): Promise<unknown> =>
    test.databases.inControl(bulks, (one) =>
      one.updateOne({ _id: { $in: objectIdsOf([id]) } }, { $set: { 'lease.until': new Date(0) } }),
    );

  it('begins, runs and ends', async () => {
    const bulk = aBulk();
    expect(await store.begin(bulk, LEASE_MS)).toEqual({ kind: 'begun' });
    const { id, serviceName, tenantId, total, owner } = bulk;
    const begun = await store.find(id);
    expect(begun).toEqual({
      id,
      serviceName,
      tenantId,
      owner,
      total,
      status: 'accepting',
      createdAt: begun?.createdAt,
      completedAt: null,
      accepted: 0,
      refused: 0,
    });
    const refusals = [aRefusal(0), aRefusal(2)];
    await store.run(id, 1, refusals);
    await store.run(id, 1, refusals);
    expect(await store.find(id)).toMatchObject({ status: 'running', accepted: 1, refused: 2 });
    expect(await store.refusals(id, 10, -1)).toEqual(refusals);
    expect(await store.refusals(id, 1, 0)).toEqual([aRefusal(2)]);
    const at = new Date('2026-11-21T08:00:00.000Z');
    expect(await store.move(id, ['running'], 'cancelling', at)).toMatchObject({
      status: 'cancelling',
      completedAt: null,
    });
    expect(await store.move(id, ['running'], 'completed', at)).toBeNull();
    expect(await store.move(id, ['cancelling'], 'cancelled', at)).toMatchObject({
      status: 'cancelled',
      completedAt: at,
    });
    await store.run(id, 9, []);
    expect(await store.find(id)).toMatchObject({ status: 'cancelled', accepted: 1 });
  });

  it('knows no bulk by what is no id', async () => {
    expect(await store.find(anId())).toBeNull();
    expect(await store.find('no id')).toBeNull();
    expect(await store.move('no id', ['running'], 'completed', new Date())).toBeNull();
  });

  it('is one for each idempotency scope, and says how the other stands', async () => {
    const idempotency = { scope: anId(), fingerprint: 'f' };
    const first = aBulk({ idempotency });
    await store.begin(first, LEASE_MS);
    const again = (): ReturnType<MongoBulkStore['begin']> => store.begin(aBulk({ idempotency }), LEASE_MS);
    const same = { kind: 'duplicate', id: first.id, fingerprint: 'f' };
    expect(await again()).toEqual({ ...same, standing: 'in_use' });
    await store.pause(first.id);
    expect(await again()).toEqual({ ...same, standing: 'taken_over' });
    expect(await again()).toEqual({ ...same, standing: 'in_use' });
    await endLease(first.id);
    expect(await again()).toEqual({ ...same, standing: 'taken_over' });
    await store.run(first.id, 3, []);
    expect(await again()).toEqual({ ...same, standing: 'finished' });
  });

  it('is one for each id where there is no scope', async () => {
    const bulk = aBulk();
    await store.begin(bulk, LEASE_MS);
    await store.pause(bulk.id);
    expect(await store.begin(bulk, LEASE_MS)).toEqual({
      kind: 'duplicate',
      id: bulk.id,
      fingerprint: '',
      standing: 'taken_over',
    });
  });

  it('lets one begin where many race', async () => {
    const idempotency = { scope: anId(), fingerprint: 'f' };
    const stores = [test.another(), test.another(), test.another()].map((one) => new MongoBulkStore(one));
    const begun = await Promise.all(stores.map((one) => one.begin(aBulk({ idempotency }), LEASE_MS)));
    expect(begun.filter(({ kind }) => kind === 'begun')).toHaveLength(1);
    expect(begun.filter((one) => one.kind === 'duplicate' && one.standing === 'in_use')).toHaveLength(2);
  });

  it('forgets what was refused as a whole, and nothing that runs', async () => {
    const idempotency = { scope: anId(), fingerprint: 'f' };
    const refused = aBulk({ idempotency });
    await store.begin(refused, LEASE_MS);
    await store.forget(refused.id);
    expect(await store.find(refused.id)).toBeNull();
    const running = aBulk({ idempotency });
    expect(await store.begin(running, LEASE_MS)).toEqual({ kind: 'begun' });
    await store.run(running.id, 1, []);
    await store.forget(running.id);
    expect(await store.find(running.id)).not.toBeNull();
  });

  it('lists what is open, oldest first', async () => {
    const [first, second, third] = [aBulk(), aBulk(), aBulk()];
    for (const bulk of [first, second, third]) await store.begin(bulk, LEASE_MS);
    await store.run(second.id, 1, []);
    await store.run(first.id, 1, []);
    await store.move(first.id, ['running'], 'cancelling', new Date());
    const open = (await store.open(100))
      .map(({ id }) => id)
      .filter((id) => [first, second, third].some((one) => one.id === id));
    expect(open).toEqual([first.id, second.id]);
    expect(await store.open(1)).toHaveLength(1);
  });

  describe('owes for its items', () => {
    const outboxOf = async (id: string): Promise<Date | undefined> =>
      (await test.databases.inControl(bulks, (collection) => collection.findOne({ _id: { $in: objectIdsOf([id]) } })))
        ?.outbox?.at;
    const owe = (id: string, at: Date): Promise<unknown> =>
      test.databases.inControl(bulks, (collection) =>
        collection.updateOne({ _id: { $in: objectIdsOf([id]) } }, { $set: { outbox: { at } } }),
      );
    const owed = async (id: string): Promise<OwedBulk | undefined> =>
      (await store.owed(100)).find((one) => one.id === id);

    it('from its beginning until it is told, but not while it is being accepted', async () => {
      const bulk = aBulk();
      await store.begin(bulk, LEASE_MS);
      const grace = Number(await outboxOf(bulk.id)) - (await test.databases.now()).getTime();
      expect(grace).toBeGreaterThan(5_000);
      await store.told(bulk.id);
      expect(await outboxOf(bulk.id)).toBeDefined();
      await store.run(bulk.id, 3, []);
      await store.told(bulk.id);
      expect(await outboxOf(bulk.id)).toBeUndefined();
    });

    it('again when another takes it over', async () => {
      const bulk = aBulk();
      await store.begin(bulk, LEASE_MS);
      await store.pause(bulk.id);
      await owe(bulk.id, new Date(0));
      await store.begin(bulk, LEASE_MS);
      expect(Number(await outboxOf(bulk.id))).toBeGreaterThan(Date.now());
      const before = await outboxOf(bulk.id);
      await store.begin(bulk, LEASE_MS);
      expect(await outboxOf(bulk.id)).toEqual(before);
    });

    it('what may be told by now, and says whether more may come', async () => {
      const [growing, paused, left, running, early] = [aBulk(), aBulk(), aBulk(), aBulk(), aBulk()];
      for (const bulk of [growing, paused, left, running, early]) await store.begin(bulk, LEASE_MS);
      await store.pause(paused.id);
      await endLease(left.id);
      await store.run(running.id, 3, []);
      for (const { id } of [growing, paused, left, running]) await owe(id, new Date(0));
      const found = await Promise.all([growing, paused, left, running, early].map(({ id }) => owed(id)));
      expect(found.map((one) => one?.grows)).toEqual([true, false, false, false, undefined]);
      expect(found[0]).toEqual({ id: growing.id, serviceName: 'test', at: new Date(0), grows: true });
    });

    it('until it is told, or for a while longer, unless it owes anew by then', async () => {
      const bulk = aBulk();
      await store.begin(bulk, LEASE_MS);
      const first = { id: bulk.id, serviceName: 'test', at: new Date(0), grows: false };
      await owe(bulk.id, first.at);
      await store.toldUntil(first, new Date(1_000));
      expect(await outboxOf(bulk.id)).toEqual(new Date(1_000));
      await store.toldUntil(first, null);
      expect(await outboxOf(bulk.id)).toEqual(new Date(1_000));
      await store.toldUntil({ ...first, at: new Date(1_000) }, null);
      expect(await outboxOf(bulk.id)).toBeUndefined();
    });
  });

  it('asks indexes alone', async () => {
    const bulk = aBulk({ idempotency: { scope: anId(), fingerprint: 'f' } });
    await store.begin(bulk, LEASE_MS);
    const plans = await test.plansOf(async () => {
      await store.begin({ ...bulk, id: anId() }, LEASE_MS);
      await store.pause(bulk.id);
      await store.run(bulk.id, 1, [aRefusal(1)]);
      await store.find(bulk.id);
      await store.refusals(bulk.id, 10, -1);
      await store.open(10);
      await store.move(bulk.id, ['running'], 'completed', new Date());
      await store.forget(bulk.id);
      await store.owed(10);
      await store.told(bulk.id);
      await store.toldUntil({ id: bulk.id, serviceName: 'test', at: new Date(), grows: false }, null);
    });
    expect(plans.map(({ indexes }) => indexes.join())).toEqual([
      'idempotency',
      '_id_',
      '_id_',
      '_id_',
      'bulk',
      'status_oldest',
      '_id_',
      '_id_',
      'outbox',
      '_id_',
      '_id_',
    ]);
  });
});
