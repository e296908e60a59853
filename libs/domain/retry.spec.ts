import { describe, expect, it } from '@jest/globals';
import { WAIT_RUNGS, WAIT_VARIANTS, waitMs } from '#contracts/topology';
import { CHANNELS, TYPES } from '#contracts/vocabulary';
import { isBeyondLadder, LONGEST_WAIT_MS, retryPolicy, waitFor, waitOfAtLeast } from './retry.js';

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
    expect(isBeyondLadder(waitOfAtLeast(LONGEST_WAIT_MS, 0))).toBe(false);
    expect(isBeyondLadder(waitOfAtLeast(2 * LONGEST_WAIT_MS, 0))).toBe(true);
  });

  it.each(WAIT_RUNGS.flatMap((rung) => WAIT_VARIANTS.map((variant) => [rung, variant] as const)))(
    'finds the queue of rung %i, variant %i by how long it lasts',
    (rung, variant) => {
      const ms = waitMs(rung, variant);
      expect(waitFor(ms)).toEqual({ rung, variant, ms });
      expect(isBeyondLadder(waitFor(ms))).toBe(false);
    },
  );

  it('finds the next longer queue, and the longest for all beyond', () => {
    expect(waitFor(1050)).toEqual({ rung: 1, variant: 2, ms: 1100 });
    expect(waitFor(1e9)).toEqual({ rung: 3600, variant: 3, ms: waitMs(3600, 3) });
  });
});
