import type { Channel, DeadLetterStatus, ErrorClass, State } from '#contracts/vocabulary';
import type { Outbox } from '#domain/accepted';
import type { DeadLetter } from '#domain/dead-letter';
import type { Delivery, Notification, NotificationError, Transition, Waiting } from '#domain/notification';

export type { Announcer } from '#domain/announcement';

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

export interface NotificationStore {
  /** Looks in these services' databases at once; null when none has it. */
  find(id: string, services: Iterable<string>): Promise<Notification | null>;
  /** The notification as it stands then; null when the version was another. */
  change(change: Change): Promise<Notification | null>;
  /** Cancels what of a bulk is draft or approved; answers how many, and announces nothing. */
  cancelOfBulk(serviceName: string, bulkId: string, transition: Omit<Transition, 'from'>): Promise<number>;
}

export interface DeadLetterFilter {
  services: ReadonlySet<string>;
  serviceName?: string;
  class?: ErrorClass;
  channel?: Channel;
  status?: DeadLetterStatus;
  createdFrom?: Date;
  createdTo?: Date;
}

export interface DeadLetterStore {
  /** Upsert by notification and round (or by message id, for what has none); answers whether it is new. */
  record(deadLetter: DeadLetter): Promise<boolean>;
  find(id: string): Promise<DeadLetter | null>;
  /** Moves the status from one of `from`; null when it stood elsewhere. */
  move(id: string, from: readonly DeadLetterStatus[], to: DeadLetterStatus, actor: string): Promise<DeadLetter | null>;
  /** Ids that match, newest first, at most `limit`, older than `before`. */
  page(filter: DeadLetterFilter, limit: number, before: { createdAt: Date; id: string } | null): Promise<DeadLetter[]>;
  /** Waiting ones whose time to be tried once more has come. */
  due(limit: number): Promise<DeadLetter[]>;
  /** The notification was taken up again, or settled by a person: closes what waits for it. */
  closeFor(notificationId: string, round: number, to: DeadLetterStatus): Promise<void>;
}

export interface Alert {
  /** Alerts of one group within the window are one: `<class>:<service>:<channel>`. */
  group: string;
  class: ErrorClass;
  serviceName: string | null;
  channel: Channel | null;
  code: string;
  reason: string;
}
export interface Alerts {
  /** Never throws, and never makes a notification. */
  raise(alert: Alert): Promise<void>;
}
