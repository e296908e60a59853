import type { NewNotification } from '#domain/accepted';
import type { Announcement } from '#domain/announcement';
import { RELAY_GRACE_MS } from '#domain/change';
import { isHeldBack } from '#domain/groups';
import type { Notification } from '#domain/notification';

/** What a new notification owes to the broker, on its document. */
export const ownOutbox = (notification: Notification): NewNotification['outbox'] => ({
  at: new Date(notification.createdAt.getTime() + RELAY_GRACE_MS),
  wake: wakeOf(notification) !== 'none',
  status: true,
  previousStatus: null,
  deadLetter: false,
});

/** What only the document can remember, where something else stands for the rest: when the scheduler is to wake it. */
export const laterWake = (notification: Notification): NewNotification['outbox'] =>
  wakeOf(notification) === 'later'
    ? {
        at: notification.nextAttemptAt ?? notification.createdAt,
        wake: true,
        status: false,
        previousStatus: null,
        deadLetter: false,
      }
    : null;

export const announcementOf = (notification: Notification): Announcement => ({
  notification,
  wake: wakeOf(notification),
  status: { previous: null },
  deadLetter: false,
});

const wakeOf = (notification: Notification): 'none' | 'now' | 'later' => {
  if (notification.state === 'draft' || isHeldBack(notification)) return 'none';
  return notification.dueAt === null ? 'now' : 'later';
};
