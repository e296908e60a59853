import type { Channel, Lane, Status } from '#contracts/vocabulary';
import type { Outbox } from '#domain/accepted';
import type { Notification } from '#domain/notification';

export type { Announcer } from '#domain/announcement';

export interface OwedNotification {
  notification: Notification;
  outbox: Outbox & { previousStatus: Status | null };
}

export interface UpkeepStore {
  /** What the outbox still owes and may be published now, oldest first. */
  findOwed(serviceName: string, limit: number): Promise<OwedNotification[]>;
  /**
   * Wake-ups that seem lost: approved, nothing owed, due before `dueBefore`, in one lane. Their outbox owes the wake
   * again when this resolves; answers how many.
   */
  oweWakeAgain(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date, limit: number): Promise<number>;
  /** The earliest due time of what is approved, due and owes nothing, in a lane; null when there is none. */
  oldestWaiting(serviceName: string, channel: Channel, lane: Lane): Promise<Date | null>;
  /** Sending, with a lease that ended at least `graceMs` ago. */
  findStale(serviceName: string, graceMs: number, limit: number): Promise<Notification[]>;
  /** Not final and past `expiresAt`, or older than `olderThan`. Not those that are being sent. */
  findExpirable(serviceName: string, olderThan: Date, limit: number): Promise<Notification[]>;
  /** Failed between the two times, with attempts left to the automatic retry. */
  deleteFinalBefore(serviceName: string, before: Date, limit: number): Promise<number>;
  /** The database's clock. */
  now(): Promise<Date>;
}

/** When dispatchers last claimed in a lane, and how far they have come: written by them, read by the overdue scan. */
export interface Watermarks {
  read(): Promise<ReadonlyMap<string, { claimedAt: Date; dueUpTo: Date }>>;
}

/** At most one process holds a lock at a time. */
export interface Locks {
  /** Runs `work` if the lock was free, for at most `ttlMs`; answers whether it ran. */
  once(name: string, ttlMs: number, work: () => Promise<void>): Promise<boolean>;
}
