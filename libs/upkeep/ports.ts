import type { BulkStatus, Channel, DeadLetterStatus, Lane, Status } from '#contracts/vocabulary';
import type { Outbox } from '#domain/accepted';
import type { Announcer } from '#domain/announcement';
import type { Notification, Transition } from '#domain/notification';

export type { Announcer } from '#domain/announcement';

export interface OwedNotification {
  notification: Notification;
  outbox: Outbox & { previousStatus: Status | null };
}

export interface UpkeepStore {
  /** What the outbox still owes and may be published now, oldest first. */
  findOwed(serviceName: string, limit: number): Promise<OwedNotification[]>;
  /** Milliseconds until the first of these may be published, 0 or less for now; null when none may be within `withinMs`. */
  nextOwedInMs(serviceName: string, withinMs: number): Promise<number | null>;
  /**
   * Wake-ups that seem lost: approved, nothing owed, due before `dueBefore`, in one lane. Their outbox owes the wake
   * again when this resolves; answers how many.
   */
  oweWakeAgain(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date, limit: number): Promise<number>;
  /** The earliest due time, before a given one, of what is approved and owes nothing, in a lane; null when there is none. */
  oldestWaiting(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date): Promise<Date | null>;
  /** Sending, with a lease that ended at least `graceMs` ago. */
  findStale(serviceName: string, graceMs: number, limit: number): Promise<Notification[]>;
  /**
   * Draft or approved and past `expiresAt`; draft, approved or uncertain and older than `olderThan`. Not those that are
   * being sent. Oldest first.
   */
  findExpirable(serviceName: string, olderThan: Date, limit: number): Promise<Notification[]>;
  /**
   * Failed at least `hours` ago (may be a fraction) in their first round, not forbidden, of a class that can recover:
   * what `awaitsAutomaticRetry` says. Oldest first.
   */
  findFailedNotificationsOlderThan(serviceName: string, hours: number, limit: number): Promise<Notification[]>;
  /**
   * Final for good (`isFinal` in domain), told to everybody, and made before; answers how many were deleted. What awaits
   * its automatic retry stays.
   */
  deleteFinalBefore(serviceName: string, before: Date, limit: number): Promise<number>;
  /** How many of these there are, `limit` at the most. */
  countFinalBefore(serviceName: string, before: Date, limit: number): Promise<number>;
  /** The database's clock. */
  now(): Promise<Date>;
}

export interface GroupUpkeep {
  /** Groups with a member whose `groupDueAt` has come, the longest due first; found by at most `limit` members. */
  groupsDue(serviceName: string, limit: number): Promise<string[]>;
  /** Members of a group, by position. */
  ofGroup(serviceName: string, groupId: string): Promise<Notification[]>;
  /** Sets when a group is to be looked at again, on members that are still of this version; null for not at all. */
  lookedAt(
    serviceName: string,
    members: readonly { id: string; version: number; lookAgainAt: Date | null }[],
  ): Promise<void>;
}

export interface ReadItem {
  id: string;
  notificationId: string;
  readAt: Date;
}

export interface ReadItems {
  /** Items of inboxes that were read by their readers, and whose notifications were not told; oldest first. */
  readItems(serviceName: string, limit: number): Promise<ReadItem[]>;
  readTold(serviceName: string, item: ReadItem): Promise<void>;
}

export interface NotificationFinder {
  find(id: string, services: Iterable<string>): Promise<Notification | null>;
}

/** When dispatchers last claimed in a lane, and the latest due time among what they claimed: written by them. */
export interface Watermarks {
  /** By name of the delivery queue (`deliverQueue` in contracts). */
  read(): Promise<ReadonlyMap<string, { claimedAt: Date; dueUpTo: Date }>>;
}

/** At most one process holds a lock at a time. */
export interface Locks {
  /**
   * Runs `work` if the lock was free or is ours; answers whether it ran. It stays ours until `ttlMs` after the last run
   * that we began: a process that vanishes keeps the others waiting for so long.
   */
  once(name: string, ttlMs: number, work: () => Promise<void>): Promise<boolean>;
  /** Frees all that we hold. */
  release(): Promise<void>;
}

export interface DrainingAnnouncer extends Announcer {
  /** Resolves when all that was announced is published and cleared, or given up. */
  drained(): Promise<void>;
}

export interface DeadLetterClosing {
  closeFor(notificationId: string, round: number, to: DeadLetterStatus): Promise<void>;
}

export interface OpenBulk {
  id: string;
  serviceName: string;
  status: BulkStatus;
}

export interface BulkProgress {
  /** Bulks that run or are being cancelled, oldest first. */
  open(limit: number): Promise<OpenBulk[]>;
  /** Moves the status; null when it stood elsewhere than in `from`. */
  move(id: string, from: readonly BulkStatus[], to: BulkStatus, at: Date): Promise<unknown>;
}

export interface OwedBulk {
  id: string;
  serviceName: string;
  /** Since when the relay may tell what its items owe. */
  at: Date;
  /** It is still being accepted: items may come that were not looked at. */
  grows: boolean;
}

export interface BulkOutbox {
  /** Bulks whose items may owe something to the broker that may be told now, the longest owed first. */
  owed(limit: number): Promise<OwedBulk[]>;
  /** All was told, up to a time; null for ever. Nothing happens where it owes from another time on by now. */
  toldUntil(bulk: OwedBulk, again: Date | null): Promise<void>;
}

export interface BulkItems {
  /** Pending notifications of a bulk by id, after the one named. */
  pendingOfBulk(serviceName: string, bulkId: string, limit: number, afterId: string | null): Promise<Notification[]>;
}

export interface OwedClaim {
  /** The lease under which these were claimed. */
  token: string;
  serviceName: string;
  ids: readonly string[];
}

export interface ClaimOutbox {
  /** Claims of dispatchers that may owe something to the broker that may be told now, the longest owed first. */
  owed(limit: number): Promise<OwedClaim[]>;
  /** All was told: they owe nothing any more. */
  told(tokens: readonly string[]): Promise<void>;
  /** Looked at, and to be looked at again after a while. */
  leaveToRelay(token: string): Promise<void>;
}

export interface ClaimedItems {
  /** Those of a claim that no other claim has taken since. */
  claimedUnder(claim: OwedClaim): Promise<Notification[]>;
}

export interface RemovedCounters {
  deleted: number;
  /** Where it goes on; null when none are left. */
  next: string | null;
}

export interface CounterUpkeep {
  /** Removes counters of users' minutes that were over at a time, about `limit` of them, from a `next` on; null from the start. */
  deleteOver(at: Date, limit: number, from: string | null): Promise<RemovedCounters>;
}

export interface BulkCounts {
  /** How many notifications of a bulk stand where. */
  countBulk(serviceName: string, bulkId: string): Promise<Record<Status, number>>;
}

export interface BulkCanceller {
  /** Cancels what of a bulk is draft or approved; answers how many. The outbox of each owes the status. */
  cancelOfBulk(serviceName: string, bulkId: string, transition: Omit<Transition, 'from'>): Promise<number>;
}

export type Clock = () => Date;

/** One piece of upkeep, run again and again. */
export interface Job {
  /**
   * Does what there is to do now, in bounded time; answers how many it handled. What takes long ends early when `stop`
   * is aborted.
   */
  run(stop: AbortSignal): Promise<number>;
}
