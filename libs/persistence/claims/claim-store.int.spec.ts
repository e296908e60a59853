import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OwingClaim } from '#delivery/ports';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoClaimStore } from './claim-store.js';
import { claims } from './schema.js';

const aClaim = (over: Partial<OwingClaim> = {}): OwingClaim => ({
  token: anId(),
  serviceName: 'test',
  ids: [anId(), anId()],
  at: new Date(0),
  ...over,
});
const owedOf = ({ token, serviceName, ids }: OwingClaim): Omit<OwingClaim, 'at'> => ({ token, serviceName, ids });

describe('claim store', () => {
  let test: TestDatabases;
  let store: MongoClaimStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoClaimStore(test.databases);
  });
  beforeEach(() => test.databases.inControl(claims, (collection) => collection.deleteMany({})));
  afterAll(() => test.drop());

  it('owes from its time on until it is told, the longest owed first', async () => {
    const [second, first] = [aClaim({ at: new Date(2_000) }), aClaim({ at: new Date(1_000) })];
    const later = aClaim({ at: new Date(Date.now() + 60_000) });
    for (const claim of [second, first, later]) await store.owe(claim);
    expect(await store.owed(10)).toEqual([owedOf(first), owedOf(second)]);
    expect(await store.owed(1)).toEqual([owedOf(first)]);
    await store.told([first.token, later.token]);
    expect(await store.owed(10)).toEqual([owedOf(second)]);
  });

  it('is written once, though a lost connection has it repeated', async () => {
    const claim = aClaim();
    await store.owe(claim);
    await store.owe(claim);
    expect(await store.owed(10)).toEqual([owedOf(claim)]);
  });

  it('is looked at again after a while, and not made anew', async () => {
    const claim = aClaim();
    await store.owe(claim);
    await store.leaveToRelay(claim.token);
    await store.leaveToRelay(anId());
    expect(await store.owed(10)).toEqual([]);
    const found = await test.databases.inControl(claims, (collection) => collection.find().toArray());
    expect(found).toHaveLength(1);
    expect(Number(found[0]?.outbox.at) - (await test.databases.now()).getTime()).toBeGreaterThan(5_000);
  });

  it('asks indexes alone', async () => {
    await store.owe(aClaim());
    const plans = await test.plansOf(async () => {
      await store.owed(10);
      await store.leaveToRelay('t');
      await store.told(['t']);
    });
    expect(plans.map(({ indexes }) => indexes.join())).toEqual(['outbox', '_id_', '_id_']);
  });
});
