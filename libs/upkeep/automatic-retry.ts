import { announcementOf, type ChangeStore, markedWith } from '#domain/change';
import { awaitsAutomaticRetry } from '#domain/dead-letter';
import type { Notification } from '#domain/notification';
import { nextRound, SCHEDULER } from '#domain/round';
import { handleAll } from './batches.js';
import type { Announcer, Clock, DeadLetterClosing, Job, UpkeepStore } from './ports.js';

export interface AutomaticRetryParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'findFailedNotificationsOlderThan'>;
  changes: ChangeStore;
  deadLetters: DeadLetterClosing;
  announcer: Announcer;
  now: Clock;
  retryAfterMs: number;
}

const LIMITS = { batch: 500, batches: 20 };
const HOUR_MS = 3_600_000;

/** The only automatic retry of failures: once, an hour later, where trying again can help, it is not too late, and nobody forbade it. */
export class AutomaticRetry implements Job {
  constructor(private readonly parts: AutomaticRetryParts) {}

  async run(): Promise<number> {
    const { services, store, retryAfterMs } = this.parts;
    let retried = 0;
    for (const serviceName of services)
      retried += await handleAll(
        LIMITS,
        (limit) => store.findFailedNotificationsOlderThan(serviceName, retryAfterMs / HOUR_MS, limit),
        (notification) => this.retry(notification),
      );
    return retried;
  }

  private async retry(notification: Notification): Promise<boolean> {
    const { changes, announcer, deadLetters, now } = this.parts;
    const at = now();
    if (!awaitsAutomaticRetry(notification)) return false;
    const { id, round, expiresAt } = notification;
    const tooLate = expiresAt !== null && expiresAt <= at;
    const change = tooLate
      ? markedWith(notification, { at, set: { retryForbidden: true } })
      : nextRound(notification, at, SCHEDULER, 'automatic_retry');
    const after = await changes.change(change);
    if (after === null) return false;
    announcer.announce([announcementOf(after, change.outbox, at)]);
    // Left open by a fault here, it is closed with the next round's.
    await deadLetters.closeFor(id, round, tooLate ? 'archived' : 'retried').catch(() => undefined);
    return true;
  }
}
