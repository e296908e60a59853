import type { WaitRung, WaitVariant } from '#contracts/topology';
import { WAIT_RUNGS, WAIT_VARIANTS, waitMs } from '#contracts/topology';
import type { Channel, NotificationType } from '#contracts/vocabulary';

/** Attempts in one round, and the least number of seconds before each but the first. */
export interface RetryPolicy {
  attempts: number;
  delaysSeconds: readonly number[];
}

const STANDARD: RetryPolicy = { attempts: 4, delaysSeconds: [2, 4, 8] };

/** The one table of retry policies. An entry for channel and type wins over the channel's own, that over the standard. */
const POLICIES: Partial<Record<Channel | `${Channel}.${NotificationType}`, RetryPolicy>> = {
  // A receiver that restarts is back within minutes; one more attempt costs us little.
  webhook: { attempts: 5, delaysSeconds: [2, 4, 8, 32] },
};

export const retryPolicy = (channel: Channel, type: NotificationType): RetryPolicy =>
  POLICIES[`${channel}.${type}`] ?? POLICIES[channel] ?? STANDARD;

/** Where a message waits, and for how long. */
export interface Wait {
  rung: WaitRung;
  variant: WaitVariant;
  ms: number;
}

/**
 * The rung of the wait ladder that lasts at least `atLeastMs`. What is longer than the ladder keeps its length, and
 * `isBeyondLadder` says so. `random` in [0, 1) chooses the variant: the jitter.
 */
export const waitOfAtLeast = (atLeastMs: number, random: number): Wait => {
  const rung = WAIT_RUNGS.find((seconds) => seconds * 1000 >= atLeastMs) ?? 3600;
  const variant = WAIT_VARIANTS[Math.floor(random * WAIT_VARIANTS.length)] ?? 1;
  return { rung, variant, ms: Math.max(atLeastMs, waitMs(rung, variant)) };
};

/** The rung and variant whose queue lasts exactly `ms`, or the next longer rung. */
export const waitFor = (ms: number): Wait => {
  for (const rung of WAIT_RUNGS)
    for (const variant of WAIT_VARIANTS)
      if (waitMs(rung, variant) >= ms) return { rung, variant, ms: waitMs(rung, variant) };
  return { rung: 3600, variant: 3, ms: waitMs(3600, 3) };
};

/** Beyond this the due time is left to the scheduler alone, in milliseconds. */
export const LONGEST_WAIT_MS = 3_600_000;

/** Whether no wait queue lasts long enough, so that the scheduler has to wake it (`later`). */
export const isBeyondLadder = (wait: Wait): boolean => wait.ms > waitMs(wait.rung, wait.variant);

/** The last one that may be tried: first attempts, the retry after an hour, and replays by people. */
export const MAX_ROUNDS = 6;

/** Claims without a settling after which a notification is poison. */
export const MAX_CLAIMS = 3;
