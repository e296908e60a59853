import { announcementOf, type ChangeStore, type PlannedChange } from '#domain/change';
import { Conflict } from '#domain/errors';
import type { Notification } from '#domain/notification';
import type { Announcer, Clock } from './ports.js';

/** Times that a lost compare-and-set is decided again, on fresh data. */
const MAX_TRIES = 5;

/** What to write; null when nothing is to be changed. */
export interface Plan {
  change: PlannedChange;
  /** Gives back what was taken for a change that was not written. */
  undo?: () => Promise<void>;
}

interface Parts {
  store: ChangeStore;
  announcer: Announcer;
  now: Clock;
}

/**
 * Reads, decides, writes, announces; anew when someone else wrote in between.
 * @param read throws when there is nothing to decide on
 * @param decide throws to refuse; null leaves all as it stands
 * @throws Conflict when others wrote first each time
 */
export const changeOf = async (
  { store, announcer, now }: Parts,
  read: () => Promise<Notification>,
  decide: (notification: Notification, at: Date) => Plan | null | Promise<Plan | null>,
): Promise<Notification> => {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const before = await read();
    const at = now();
    const plan = await decide(before, at);
    if (plan === null) return before;
    const after = await written(store, plan);
    if (after === null) continue;
    announcer.announce([announcementOf(after, plan.change.outbox, at)]);
    return after;
  }
  throw new Conflict();
};

const written = async (store: ChangeStore, { change, undo }: Plan): Promise<Notification | null> => {
  let after: Notification | null = null;
  try {
    after = await store.change(change);
    return after;
  } finally {
    // A place that is not given back is wasted for a minute, and no more.
    if (after === null) await undo?.().catch(() => undefined);
  }
};
