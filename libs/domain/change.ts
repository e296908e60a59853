import type { State, Status } from '#contracts/vocabulary';
import type { Outbox } from './accepted.js';
import type { Announcement } from './announcement.js';
import type { Delivery, Notification, NotificationError, Transition, Waiting } from './notification.js';
import { canBecome, statusOfNotification } from './states.js';

/** Everything that one transition, or one mark, writes besides version and updatedAt. */
export interface Change {
  id: string;
  serviceName: string;
  /** Compare-and-set: nothing is written when the version is another by now. */
  version: number;
  state?: State;
  transition?: Transition;
  set: Partial<{
    waiting: Waiting | null;
    round: number;
    attempt: number;
    claims: number;
    alone: boolean;
    nextAttemptAt: Date | null;
    retryForbidden: boolean;
    approvedAt: Date | null;
    sentAt: Date | null;
    deliveredAt: Date | null;
    openedAt: Date | null;
    readAt: Date | null;
    failedAt: Date | null;
    lastError: NotificationError | null;
    deliveries: Delivery[];
    lease: null;
  }>;
  outbox: Outbox | null;
}

export interface ChangeStore {
  /** The notification as it stands then; null when the version was another. */
  change(change: Change): Promise<Notification | null>;
}

/** What the relay leaves to the process that wrote, in milliseconds. */
export const RELAY_GRACE_MS = 10_000;
/** What is to be sent at once may be claimed even by a database whose clock is this much behind ours, in milliseconds. */
export const CLOCK_SKEW_MS = 5_000;

/** `nextAttemptAt` of what may be claimed at once. */
export const atOnce = (now: Date): Date => new Date(now.getTime() - CLOCK_SKEW_MS);

export type OwedOutbox = Outbox & { previousStatus: Status | null };
export type PlannedChange = Change & { outbox: OwedOutbox };

export interface Step {
  at: Date;
  actor: string;
  reason: string | null;
  set: Change['set'];
  /** A dispatcher is to be woken when `nextAttemptAt` comes. */
  wake?: boolean;
  /** False for what nobody outside can see, such as going back to wait. */
  visible?: boolean;
  deadLetter?: boolean;
}

const owed = (notification: Notification, step: Pick<Step, 'at' | 'wake' | 'visible' | 'deadLetter'>): OwedOutbox => ({
  at: new Date(step.at.getTime() + RELAY_GRACE_MS),
  wake: step.wake ?? false,
  status: step.visible ?? true,
  previousStatus: statusOfNotification(notification),
  deadLetter: step.deadLetter ?? false,
});

/** A transition, with what it owes to the broker. @throws Error when the table does not have it */
export const transitionTo = (notification: Notification, to: State, step: Step): PlannedChange => {
  const { id, serviceName, version, state: from } = notification;
  if (!canBecome(from, to)) throw new Error(`no transition from ${from} to ${to}`);
  const { at, actor, reason, set } = step;
  return {
    id,
    serviceName,
    version,
    state: to,
    transition: { from, to, at, actor, reason },
    set,
    outbox: owed(notification, step),
  };
};

/** A change within the same state: a mark, or a ban on retries. */
export const markedWith = (
  notification: Notification,
  step: Pick<Step, 'at' | 'set' | 'deadLetter'>,
): PlannedChange => {
  const { id, serviceName, version } = notification;
  return { id, serviceName, version, set: step.set, outbox: owed(notification, step) };
};

/** What is to be told of a notification that owes this. */
export const announcementOf = (notification: Notification, outbox: OwedOutbox, now: Date): Announcement => {
  const due = notification.nextAttemptAt === null || notification.nextAttemptAt <= now;
  return {
    notification,
    wake: !outbox.wake || notification.state !== 'approved' ? 'none' : due ? 'now' : 'later',
    status: outbox.status ? { previous: outbox.previousStatus } : null,
    deadLetter: outbox.deadLetter,
  };
};
