import type { WaitRung, WaitVariant } from '#contracts/topology';
import { WAIT_RUNGS, WAIT_VARIANTS, waitMs } from '#contracts/topology';
import type { Channel, NotificationType } from '#contracts/vocabulary';

/** Attempts in one round, and the least number of seconds before each but the first. */
export interface RetryPolicy {
  attempts: number;
  delaysSeconds: readonly number[];
}

const STANDARD: RetryPolicy = { attempts: 4, delaysSeconds: [2, 4, 8] };

/**
 * The one table of retry policies: an entry for channel and type wins over the channel's own, that over the standard.
 * All channels keep to the standard so far.
 */
const POLICIES: Partial<Record<Channel | `${Channel}.${NotificationType}`, RetryPolicy>> = {};

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

/** Whether no wait queue lasts long enough, so that the scheduler has to wake it (`later`). */
export const isBeyondLadder = (wait: Wait): boolean => wait.ms > waitMs(wait.rung, wait.variant);

/** The last one that may be tried: first attempts, the retry after an hour, and replays by people. */
export const MAX_ROUNDS = 6;

/** Claims without a settling after which a notification is poison. */
export const MAX_CLAIMS = 3;
