import type {
  Channel,
  DeliveryStatus,
  ErrorClass,
  GroupMode,
  Lane,
  NotificationType,
  OnLimit,
  OutcomeKind,
  Priority,
  State,
  WaitingReason,
} from '#contracts/vocabulary';
import type { SmsParts } from './channels/sms-text.js';
import type { Place } from './limits.js';
import type { TriedProvider } from './outcome.js';

/** A notification as the rules see it, and as the stores keep it. Times are dates of the database's clock. */
export interface Notification {
  id: string;
  serviceName: string;
  tenantId: string | null;
  userId: string | null;
  reference: string | null;
  channel: Channel;
  type: NotificationType;
  priority: Priority;
  lane: Lane;
  groupId: string | null;
  group: GroupPlace | null;
  bulkId: string | null;
  bulkIndex: number | null;
  title: string | null;
  body: string;
  html: string | null;
  template: TemplateUsed | null;
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  /** How the body travels, as fixed at accept; null but for SMS. */
  sms: SmsParts | null;
  atMostOnce: boolean;
  onLimit: OnLimit;
  sendAt: Date | null;
  expiresAt: Date | null;
  /** Its place in the limit of its service and channel: from when it may be sent; null where it has none yet. */
  place: Date | null;
  /** When it was first due, as fixed at accept: `sendAt`, or the time that a limit moved it to; null for at once. */
  dueAt: Date | null;

  state: State;
  /** Grows by one with every transition; the guard of every compare-and-set. */
  version: number;
  waiting: Waiting | null;
  /** 1 for the first attempts, one more for each retry of a failed one. */
  round: number;
  /** Attempts used in this round. */
  attempt: number;
  /** Claims since the last settling; a third that was abandoned makes it a dead letter. */
  claims: number;
  /** Recovered from a dispatcher that vanished: is sent by itself. */
  alone: boolean;
  /** When it may be claimed; null when it waits for a person, or for nothing. */
  nextAttemptAt: Date | null;
  lease: Lease | null;
  /** When its group is to be looked at: something was decided here, or a time is up. */
  groupDueAt: Date | null;
  /** A failed one that must not be tried again by itself. */
  retryForbidden: boolean;

  /** Targets named by the caller; null when they are the recipient's own, resolved at the first claim. */
  to: string[] | null;
  /** Frozen at the first claim; empty before. */
  deliveries: Delivery[];

  createdAt: Date;
  updatedAt: Date;
  approvedAt: Date | null;
  sentAt: Date | null;
  deliveredAt: Date | null;
  openedAt: Date | null;
  readAt: Date | null;
  failedAt: Date | null;
  lastError: NotificationError | null;
  history: Transition[];

  /** W3C traceparent of the call that made it. */
  traceparent: string | null;
  /** The client that made it (`Caller.owner`): may cancel it. */
  owner: string;
}

/** One of several channels that one call asked for. */
export interface GroupPlace {
  mode: GroupMode;
  /** From 0, in the order of trying. */
  position: number;
  /** Only with fallback; null: sent is enough. */
  fallbackAfterSeconds: number | null;
  /** Channels that were asked for as well, and left out: the recipient had no target there. */
  skipped: Channel[];
}

/** The version that its texts were made from; of its own channel. */
export interface TemplateUsed {
  name: string;
  version: number;
  /** The one that was found, such as `default`. */
  locale: string;
}

export interface Waiting {
  reason: WaitingReason;
  until: Date | null;
}

export interface Lease {
  token: string;
  until: Date;
}

export interface Delivery {
  /** `<notification id>-<n>`, n from 1: the provider-side id, the same at every attempt. */
  id: string;
  target: string;
  status: DeliveryStatus;
  provider: string | null;
  providerMessageId: string | null;
  attempts: DeliveryAttempt[];
  /** Reserved at a provider for when it is due; absent where nothing is. */
  place?: Place;
}

export interface DeliveryAttempt {
  number: number;
  at: Date;
  durationMs: number;
  provider: string;
  outcome: OutcomeKind;
  code: string | null;
  providerStatus: string | null;
  retryAfterMs: number | null;
  /** Who was asked before `provider` in the same attempt, in order; absent where nobody was. */
  tried?: readonly TriedProvider[];
}

export interface NotificationError {
  code: string;
  class: ErrorClass;
  /** For people; never holds a token, an address or a secret. */
  message: string;
  at: Date;
}

export interface Transition {
  from: State | null;
  to: State;
  at: Date;
  /** `key:<id>`, `amqp:<user>`, `dispatcher`, `scheduler`, `report:<user>`. */
  actor: string;
  reason: string | null;
}
