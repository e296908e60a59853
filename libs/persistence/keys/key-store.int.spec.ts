import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiKey } from '#access/ports';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoKeyStore } from './key-store.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 21, 8, minute));
const aKey = (minute: number): ApiKey => ({
  id: anId(),
  owner: 'billing',
  scopes: ['notifications:send'],
  services: ['test'],
  hash: 'h'.repeat(64),
  createdAt: at(minute),
  expiresAt: null,
  revokedAt: null,
});

describe('key store', () => {
  let test: TestDatabases;
  let store: MongoKeyStore;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoKeyStore(test.databases);
  });
  afterAll(() => test.drop());

  it('keeps keys, and shows them newest first', async () => {
    const keys = [aKey(1), aKey(2), aKey(2), aKey(3)];
    for (const key of keys) await store.insert(key);
    const [first] = keys;
    expect(await store.find(first?.id ?? '')).toEqual(first);
    expect(await store.find(anId())).toBeNull();
    expect(await store.find('no id')).toBeNull();
    const seen: string[] = [];
    let after: ApiKey | null = null;
    for (;;) {
      const page: ApiKey[] = await store.page(3, after);
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1) ?? after;
      if (page.length < 3) break;
    }
    const expected = keys.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1));
    expect(seen).toEqual(expected.map(({ id }) => id));
  });

  it('revokes once', async () => {
    const key = aKey(1);
    await store.insert(key);
    expect(await store.revoke(key.id, at(5))).toBe(true);
    expect(await store.revoke(key.id, at(9))).toBe(true);
    expect((await store.find(key.id))?.revokedAt).toEqual(at(5));
    expect(await store.revoke(anId(), at(5))).toBe(false);
    expect(await store.revoke('no id', at(5))).toBe(false);
    expect(await store.expireAt(key.id, at(6))).toBeNull();
    expect((await store.find(key.id))?.expiresAt).toBeNull();
  });

  it('brings an end forward, never back', async () => {
    const key = aKey(1);
    await store.insert(key);
    expect((await store.expireAt(key.id, at(30)))?.expiresAt).toEqual(at(30));
    expect((await store.expireAt(key.id, at(20)))?.expiresAt).toEqual(at(20));
    expect((await store.expireAt(key.id, at(40)))?.expiresAt).toEqual(at(20));
    expect(await store.expireAt(anId(), at(20))).toBeNull();
  });

  it('asks indexes alone', async () => {
    const key = aKey(1);
    await store.insert(key);
    const plans = await test.plansOf(async () => {
      await store.find(key.id);
      await store.page(2, null);
      await store.page(2, key);
      await store.revoke(key.id, at(1));
    });
    expect(plans.map(({ indexes }) => indexes.join())).toEqual(['_id_', 'newest', 'newest', '_id_']);
  });
});
