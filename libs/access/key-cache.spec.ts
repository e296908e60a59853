import { beforeEach, describe, expect, it } from '@jest/globals';
import { RateLimited, Unavailable } from '#domain/errors';
import { KeyCache, type KnownKey } from './key-cache.js';

const known = (id: string): KnownKey => ({
  key: {
    id,
    owner: 'tests',
    scopes: [],
    services: [],
    hash: '',
    createdAt: new Date(0),
    expiresAt: null,
    revokedAt: null,
  },
  hash: Buffer.alloc(32),
  caller: { actor: `key:${id}`, owner: 'tests', scopes: new Set(), services: new Set() },
});

describe('KeyCache', () => {
  let now: number;
  let asked: string[];
  let existing: Set<string>;
  let cache: KeyCache;
  const load = (id: string): Promise<KnownKey | null> => {
    asked.push(id);
    return Promise.resolve(existing.has(id) ? known(id) : null);
  };
  beforeEach(() => {
    now = 0;
    asked = [];
    existing = new Set(['a', 'b', 'c']);
    cache = new KeyCache(load, { ttlMs: 5_000, capacity: 2, missesPerSecond: 3, clock: () => now });
  });

  it('asks once in its time, for keys that exist and for those that do not', async () => {
    for (const id of ['a', 'x', 'a', 'x']) await cache.get(id);
    expect(asked).toEqual(['a', 'x']);
    now = 5_000;
    await cache.get('a');
    await cache.get('x');
    expect(asked).toEqual(['a', 'x', 'a', 'x']);
  });

  it('asks once for those who come together', async () => {
    await Promise.all([cache.get('a'), cache.get('a'), cache.get('a')]);
    expect(asked).toEqual(['a']);
  });

  it('remembers no more than it may, and made-up ids push out no key', async () => {
    await cache.get('a');
    for (const id of ['x', 'y', 'z']) await cache.get(id);
    expect(cache.peek('a')).not.toBeUndefined();
    expect(cache.peek('x')).toBeUndefined();
    expect(cache.peek('z')).toBeNull();
    now += 1_000;
    for (const id of ['b', 'c']) await cache.get(id);
    expect(cache.peek('a')).toBeUndefined();
  });

  it('bounds the look-ups of unknown ids, and not those of keys it knows', async () => {
    await cache.get('a');
    for (const id of ['w', 'x', 'y']) await cache.get(id);
    await expect(cache.get('z')).rejects.toThrow(RateLimited);
    now = 334;
    expect(await cache.get('z')).toBeNull();
    now = 5_334;
    for (const id of ['p', 'q', 'r']) await cache.get(id);
    expect(await cache.get('a')).not.toBeNull();
  });

  it('forgets one, or all', async () => {
    await cache.get('a');
    await cache.get('b');
    cache.forget('a');
    expect([cache.peek('a'), cache.peek('b')]).toEqual([undefined, expect.anything()]);
    cache.forget(null);
    expect(cache.peek('b')).toBeUndefined();
  });

  it('does not remember what it read before it was told to forget', async () => {
    const answers: ((key: KnownKey | null) => void)[] = [];
    const slow = new KeyCache(() => new Promise((resolve) => answers.push(resolve)), {
      ttlMs: 5_000,
      clock: () => now,
    });
    const before = slow.get('a');
    slow.forget('a');
    const after = slow.get('a');
    answers[0]?.(known('a'));
    expect(await before).not.toBeNull();
    expect(slow.peek('a')).toBeUndefined();
    answers[1]?.(null);
    expect(await after).toBeNull();
    expect(slow.peek('a')).toBeNull();
  });

  it('says that the store does not answer, and asks again', async () => {
    let down = true;
    const fragile = new KeyCache((id) => (down ? Promise.reject(new Error('no route')) : load(id)), {
      ttlMs: 5_000,
      clock: () => now,
    });
    await expect(fragile.get('a')).rejects.toThrow(Unavailable);
    down = false;
    expect(await fragile.get('a')).not.toBeNull();
  });
});
