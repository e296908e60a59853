import { describe, expect, it } from '@jest/globals';
import { fullJitter, pause, within } from './backoff.js';

const backoff = { baseMs: 100, maxMs: 1_000 };

describe('fullJitter', () => {
  it.each([
    [0, 100],
    [1, 200],
    [3, 800],
    [4, 1_000],
    [4_000, 1_000],
  ])('lies between 0 and the limit of attempt %d', (attempt, limit) => {
    expect(fullJitter(attempt, backoff, () => 0)).toBe(0);
    expect(fullJitter(attempt, backoff, () => 1)).toBe(limit);
  });
});

describe('pause', () => {
  it('ends early when its signal aborts', async () => {
    const stopping = new AbortController();
    const paused = pause(60_000, stopping.signal);
    stopping.abort();
    await paused;
    await pause(60_000, stopping.signal);
  });
});

describe('within', () => {
  it('tells whether work ended in time', async () => {
    expect(await within(60_000, Promise.resolve())).toBe(true);
    expect(await within(0, new Promise(() => undefined))).toBe(false);
    await expect(within(60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});
