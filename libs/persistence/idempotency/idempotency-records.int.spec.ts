import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoIdempotencyRecords } from './idempotency-records.js';
import { idempotencyRecords } from './schema.js';

describe('idempotency records', () => {
  let test: TestDatabases;
  let records: MongoIdempotencyRecords;
  beforeAll(async () => {
    test = await openTestDatabases();
    records = new MongoIdempotencyRecords(test.databases);
  });
  afterAll(() => test.drop());

  const set = (scope: string, fields: Record<string, unknown>): Promise<unknown> =>
    test.databases.inControl(idempotencyRecords, (one) => one.updateOne({ _id: scope }, { $set: fields }));

  it('give a key to one, however many ask', async () => {
    const scope = anId();
    const all = [test.another(), test.another(), test.another()].map((one) => new MongoIdempotencyRecords(one));
    const begun = await Promise.all(all.map((one) => one.begin(scope, 'f')));
    expect(begun.map(({ kind }) => kind).sort()).toEqual(['begun', 'in_use', 'in_use']);
  });

  it('replay what was answered, to who asks the same', async () => {
    const scope = anId();
    const body = { data: [{ $a: 1, 'b.c': null }] };
    await records.begin(scope, 'f');
    await records.complete(scope, 200, body);
    expect(await records.begin(scope, 'f')).toEqual({ kind: 'replay', status: 200, body });
    expect(await records.begin(scope, 'other')).toEqual({ kind: 'reused' });
    await records.release(scope);
    expect(await records.begin(scope, 'f')).toMatchObject({ kind: 'replay' });
  });

  it('keep an answer without a body', async () => {
    const scope = anId();
    await records.begin(scope, 'f');
    await records.complete(scope, 204, undefined);
    expect(await records.begin(scope, 'f')).toEqual({ kind: 'replay', status: 204, body: null });
  });

  it('keep an answer for a day at least', async () => {
    const scope = anId();
    await records.begin(scope, 'f');
    await records.complete(scope, 200, {});
    const record = await test.databases.inControl(idempotencyRecords, (one) => one.findOne({ _id: scope }));
    expect(record?.expiresAt.getTime()).toBeGreaterThan(Date.now() + 24 * 3_600_000);
  });

  it('free a key, and one whose request never came to an end', async () => {
    const scope = anId();
    await records.begin(scope, 'f');
    await records.release(scope);
    expect(await records.begin(scope, 'other')).toEqual({ kind: 'begun' });
    await set(scope, { until: new Date(Date.now() - 1_000) });
    expect(await records.begin(scope, 'f')).toEqual({ kind: 'begun' });
    expect(await records.begin(scope, 'f')).toEqual({ kind: 'in_use' });
  });

  it('ask indexes alone', async () => {
    const plans = await test.plansOf(async () => {
      await records.begin('s', 'f');
      await records.complete('s', 200, {});
      await records.release('s');
    });
    expect(new Set(plans.flatMap(({ indexes }) => indexes))).toEqual(new Set(['_id_']));
  });
});
