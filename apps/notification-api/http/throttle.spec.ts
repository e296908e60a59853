import { describe, expect, it } from '@jest/globals';

// @nestjs/throttler is CommonJS and requires ES modules: jest allows that only of modules that are loaded already.
await import('@nestjs/core');
const { WindowStorage } = await import('./throttle.js');

describe('WindowStorage', () => {
  it('counts each key in windows of its own', async () => {
    let now = 1_000;
    const storage = new WindowStorage(() => now);
    const hit = (key: string) => storage.increment(key, 60_000, 2);
    expect(await hit('a')).toEqual({ totalHits: 1, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    await hit('a');
    now += 15_500;
    expect(await hit('a')).toEqual({ totalHits: 3, timeToExpire: 45, isBlocked: true, timeToBlockExpire: 45 });
    expect(await hit('b')).toMatchObject({ totalHits: 1, isBlocked: false });
    now += 44_500;
    expect(await hit('a')).toMatchObject({ totalHits: 1, isBlocked: false });
  });
});
