import { announcementOf, type ChangeStore } from '#domain/change';
import { groupStep } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { handleEach } from './batches.js';
import type { Announcer, GroupUpkeep, Job } from './ports.js';

export interface FallbacksParts {
  services: readonly string[];
  groups: GroupUpkeep;
  changes: ChangeStore;
  announcer: Announcer;
  /** The database's clock. */
  now: () => Promise<Date>;
}

/** Members found in one look: of fewer groups, perhaps. */
const BATCH = 500;
/** Of one service in one run, so that each gets its turn. */
const BATCHES = 20;
/** Steps of one group in one run: more than its members can need, unless others change them all the time. */
const MAX_STEPS = 30;

/** Moves groups with fallback on: to the next channel where the one before did not arrive, or to their end. */
export class Fallbacks implements Job {
  constructor(private readonly parts: FallbacksParts) {}

  async run(): Promise<number> {
    const { services, groups } = this.parts;
    let looked = 0;
    for (const serviceName of services)
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const due = await groups.groupsDue(serviceName, BATCH);
        const done = await handleEach(due, (groupId) => this.look(serviceName, groupId));
        looked += done;
        // What others change all the time would be found again.
        if (done === 0) break;
      }
    return looked;
  }

  /** False when others change it so often that it has to be looked at another time. */
  private async look(serviceName: string, groupId: string): Promise<boolean> {
    const { groups, changes, announcer, now } = this.parts;
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const members = await groups.ofGroup(serviceName, groupId);
      const at = await now();
      const step = groupStep(members, at);
      if (step.change === null) {
        await groups.lookedAt(serviceName, seen(members, step.lookAgain));
        return true;
      }
      const after = await changes.change(step.change);
      if (after !== null) announcer.announce([announcementOf(after, step.change.outbox, at)]);
    }
    return false;
  }
}

/** Members whose time to look at the group is another now. */
const seen = (
  members: readonly Notification[],
  lookAgain: { id: string; at: Date } | null,
): { id: string; version: number; lookAgainAt: Date | null }[] =>
  members.flatMap(({ id, version, groupDueAt }) => {
    const lookAgainAt = lookAgain?.id === id ? lookAgain.at : null;
    return groupDueAt?.getTime() === lookAgainAt?.getTime() ? [] : [{ id, version, lookAgainAt }];
  });
