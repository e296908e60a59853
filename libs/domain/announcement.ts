import type { Status } from '#contracts/vocabulary';
import type { Notification } from './notification.js';
import type { Wait } from './retry.js';

/** What must be told of one written change, after it was written; the outbox on the document remembers it until then. */
export interface Announcement {
  notification: AnnouncedNotification;
  /** Wake a dispatcher: now, after a wait, or (`later`) when the scheduler finds it due. */
  wake: 'none' | 'now' | 'later' | Wait;
  /** Tell the other services; holds the status before. */
  status: { previous: Status | null } | null;
  deadLetter: boolean;
}

export type AnnouncedNotification = Pick<
  Notification,
  | 'id'
  | 'serviceName'
  | 'tenantId'
  | 'reference'
  | 'groupId'
  | 'bulkId'
  | 'channel'
  | 'lane'
  | 'version'
  | 'round'
  | 'attempt'
  | 'alone'
  | 'state'
  | 'approvedAt'
  | 'updatedAt'
  | 'sentAt'
  | 'deliveredAt'
  | 'openedAt'
  | 'readAt'
  | 'lastError'
  | 'retryForbidden'
  | 'traceparent'
>;

/** Hears, once, whether the broker has confirmed all that was announced together. Never rejects. */
export type Told = (allConfirmed: boolean) => void | Promise<void>;

/** Port of every use case that writes: publishes in the background, in batches, then clears the outbox. Never fails. */
export interface Announcer {
  /** @param told of documents without outbox, for which something else remembers what is owed: that clears it */
  announce(announcements: readonly Announcement[], told?: Told): void;
}
