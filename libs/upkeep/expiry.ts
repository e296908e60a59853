import { type Alerts, alertGroup } from '#domain/alert';
import { announcementOf, atOnce, type ChangeStore, markedWith, type PlannedChange, transitionTo } from '#domain/change';
import { isHeldBack } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { SCHEDULER } from '#domain/round';
import { closed } from '#domain/settle';
import { handleAll } from './batches.js';
import type { Announcer, Clock, Job, UpkeepStore } from './ports.js';

export interface ExpiryParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'findExpirable'>;
  changes: ChangeStore;
  announcer: Announcer;
  alerts: Alerts;
  now: Clock;
}

const LIMITS = { batch: 500, batches: 20 };
const DAY_MS = 86_400_000;
/** What is still open then would meet the deletion of documents at 90 days. */
const OLDEST_OPEN_DAYS = 80;

const TOO_OLD = {
  code: 'too_old',
  class: 'expired' as const,
  message: `it was not settled within ${OLDEST_OPEN_DAYS} days`,
};
const PAST = { code: 'expired', class: 'expired' as const, message: 'its expiresAt passed before it could be sent' };

/** Ends what is past its `expiresAt`, or open for too long. */
export class Expiry implements Job {
  constructor(private readonly parts: ExpiryParts) {}

  async run(): Promise<number> {
    const { services, store, now } = this.parts;
    const at = now();
    const olderThan = new Date(at.getTime() - OLDEST_OPEN_DAYS * DAY_MS);
    let expired = 0;
    for (const serviceName of services)
      expired += await handleAll(
        LIMITS,
        (limit) => store.findExpirable(serviceName, olderThan, limit),
        (notification) => this.expire(notification, at, notification.createdAt < olderThan),
      );
    return expired;
  }

  private async expire(notification: Notification, at: Date, tooOld: boolean): Promise<boolean> {
    const heldBack = isHeldBack(notification);
    const change = heldBack
      ? untried(notification, at)
      : tooOld
        ? expired(notification, at, TOO_OLD)
        : lapsed(notification, at);
    if (change === null) return false;
    const after = await this.parts.changes.change(change);
    if (after === null) return false;
    this.parts.announcer.announce([announcementOf(after, change.outbox, at)]);
    if (tooOld && !heldBack) {
      const { serviceName, channel } = notification;
      const alert = { serviceName, channel, class: TOO_OLD.class, code: TOO_OLD.code, reason: TOO_OLD.message };
      await this.parts.alerts.raise({ ...alert, group: alertGroup(alert) });
    }
    return true;
  }
}

/** What its group did not need so far has not failed. */
const untried = (notification: Notification, at: Date): PlannedChange =>
  transitionTo(notification, 'cancelled', {
    at,
    actor: SCHEDULER,
    reason: PAST.code,
    set: { waiting: null, nextAttemptAt: null },
  });

/** An uncertain one waits for a person all the same. One that reached a target in an earlier attempt is not expired but sent: the dispatcher settles that at its next claim, now. */
const lapsed = (notification: Notification, at: Date): PlannedChange | null => {
  if (notification.state === 'uncertain') return null;
  if (!notification.deliveries.some(({ status }) => status === 'sent')) return expired(notification, at, PAST);
  if (notification.nextAttemptAt !== null && notification.nextAttemptAt <= at) return null;
  const { outbox, ...change } = markedWith(notification, { at, set: { nextAttemptAt: atOnce(at), waiting: null } });
  return { ...change, outbox: { ...outbox, wake: true, status: false } };
};

const expired = (notification: Notification, at: Date, error: typeof PAST | typeof TOO_OLD): PlannedChange =>
  transitionTo(notification, 'expired', {
    at,
    actor: SCHEDULER,
    reason: error.code,
    set: {
      waiting: null,
      nextAttemptAt: null,
      lastError: { ...error, at },
      deliveries: closed(notification.deliveries, 'failed'),
      ...(notification.approvedAt === null ? {} : { failedAt: at }),
    },
  });
