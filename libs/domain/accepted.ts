import type { Notification } from './notification.js';

/** The record of an idempotency key on what it created. */
export interface Idempotency {
  /** Digest of owner, service, operation with its path ids, and key: unique in its database. */
  scope: string;
  /** Digest of the fields that the caller sent, canonicalised. */
  fingerprint: string;
}

/** What a document still owes to the broker: it is its own outbox entry. */
export interface Outbox {
  /** The relay may publish what is owed from this time on. */
  at: Date;
  /** A wake-up of the dispatcher, due at `nextAttemptAt`. */
  wake: boolean;
  /** A status update, and the status before it. */
  status: boolean;
  previousStatus: string | null;
  /** A notice to the dead letters. */
  deadLetter: boolean;
}

export interface NewNotification {
  notification: Notification;
  idempotency: Idempotency | null;
  outbox: Outbox | null;
}

export type InsertResult =
  | { kind: 'inserted' }
  /** Someone else's insert under the same idempotency scope was first. */
  | { kind: 'duplicate'; existing: Notification; fingerprint: string }
  /** The store refused or did not answer; nothing was written. */
  | { kind: 'unavailable' };
