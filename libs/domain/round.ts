import type { Delivery, Notification } from './notification.js';
import { atOnce, type PlannedChange, transitionTo } from './change.js';

/** Whether a provider said that the target does not exist: another attempt would hear the same. */
const isGone = (delivery: Delivery): boolean => delivery.attempts.at(-1)?.outcome === 'recipient_gone';

/** Opens what failed, but for targets that are gone, unless there are no others. */
const reopened = (deliveries: readonly Delivery[]): Delivery[] => {
  const onlyGone = deliveries.every((delivery) => delivery.status !== 'failed' || isGone(delivery));
  return deliveries.map((delivery) =>
    delivery.status === 'failed' && (onlyGone || !isGone(delivery)) ? { ...delivery, status: 'open' } : delivery,
  );
};

/** A failed notification is taken up again: its next round begins at once, with all its attempts. */
export const nextRound = (notification: Notification, at: Date, actor: string, reason: string | null): PlannedChange =>
  transitionTo(notification, 'approved', {
    at,
    actor,
    reason,
    wake: true,
    set: {
      round: notification.round + 1,
      attempt: 0,
      claims: 0,
      alone: false,
      waiting: null,
      nextAttemptAt: atOnce(at),
      retryForbidden: false,
      failedAt: null,
      deliveries: reopened(notification.deliveries),
    },
  });

/** The transition that began the present round; undefined in the first one. */
const beginningOf = (notification: Pick<Notification, 'history'>): Notification['history'][number] | undefined =>
  notification.history.findLast(({ from, to }) => from === 'failed' && to === 'approved');

/** Actor of what Carillon does by its own clock. */
export const SCHEDULER = 'scheduler';

/** Whether the present round is the one automatic retry. */
export const isAutomaticRound = (notification: Pick<Notification, 'history'>): boolean =>
  beginningOf(notification)?.actor === SCHEDULER;
