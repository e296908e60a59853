import { describe, expect, it } from '@jest/globals';
import { CHANNELS, TYPES } from '#contracts/vocabulary';
import { isBeyondLadder, retryPolicy, waitOfAtLeast } from './retry.js';

describe('retry policies', () => {
  it.each(CHANNELS.flatMap((channel) => TYPES.map((type) => [channel, type] as const)))(
    'of %s, %s has a delay before each attempt but the first',
    (channel, type) => {
      const { attempts, delaysSeconds } = retryPolicy(channel, type);
      expect(attempts).toBeGreaterThanOrEqual(4);
      expect(delaysSeconds).toHaveLength(attempts - 1);
      expect(delaysSeconds.slice(0, 3)).toEqual([2, 4, 8]);
    },
  );
});

describe('the wait ladder', () => {
  it.each([
    [0, 0, 1, 1, 1000],
    [1000, 0, 1, 1, 1000],
    [1001, 0, 2, 1, 2000],
    [2000, 0.34, 2, 2, 2200],
    [4000, 0.999, 4, 3, 4800],
    [3_600_000, 0, 3600, 1, 3_600_000],
    [3_600_001, 0, 3600, 1, 3_600_001],
    [7_200_000, 0.5, 3600, 2, 7_200_000],
  ])('waits at least %i ms (jitter %f)', (atLeastMs, random, rung, variant, ms) => {
    expect(waitOfAtLeast(atLeastMs, random)).toEqual({ rung, variant, ms });
  });

  it('takes the first variant for a jitter out of bounds', () => {
    expect(waitOfAtLeast(1000, 1).variant).toBe(1);
  });

  it('knows what no queue lasts for', () => {
    expect(isBeyondLadder(waitOfAtLeast(3_600_000, 0))).toBe(false);
    expect(isBeyondLadder(waitOfAtLeast(7_200_000, 0))).toBe(true);
  });
});
