import { z } from 'zod';
import { CreateBulk } from './http/bulk.js';
import { CreateNotification } from './http/notification.js';
import { Id, ServiceName, Time } from './http/primitives.js';
import { CHANNELS, REPORT_STATUSES, STATES, STATUSES } from './vocabulary.js';

/**
 * Every message that passes RabbitMQ: bare JSON, told apart by the property `type`. What others send is read strictly;
 * what Carillon itself wrote is read tolerantly, so that two versions can run side by side.
 */

export const SCHEMA_VERSION = 1;

/** Notifications that one message wakes, at the most: as many may be in hand for each message of the prefetch. */
export const WAKES_TOGETHER = 10;

/** «Look at these now.» Never body, address or secret. */
export const Wake = z.object({
  schemaVersion: z.int(),
  notificationId: Id,
  /** More of the same lane and service. A dispatcher that does not know them leaves them to the scheduler's second look. */
  others: z.array(Id).default([]),
  serviceName: ServiceName,
  /** Round and attempt that it is meant for; informative, the database decides. */
  attempt: z.int(),
  /** Recovered from a dispatcher that vanished: sent by itself, so that it cannot take others down again. */
  alone: z.boolean().default(false),
});
export type Wake = z.output<typeof Wake>;

export const StatusUpdate = z.object({
  schemaVersion: z.int(),
  eventId: z.string(),
  occurredAt: z.string(),
  notificationId: Id,
  serviceName: ServiceName,
  tenantId: z.string().nullable(),
  reference: z.string().nullable(),
  groupId: z.string().nullable(),
  bulkId: z.string().nullable(),
  channel: z.enum(CHANNELS),
  version: z.int(),
  previousStatus: z.enum(STATUSES).nullable(),
  status: z.enum(STATUSES),
  state: z.enum(STATES),
  final: z.boolean(),
  sentAt: z.string().nullable(),
  deliveredAt: z.string().nullable(),
  openedAt: z.string().nullable(),
  readAt: z.string().nullable(),
  errorCode: z.string().nullable(),
});
export type StatusUpdate = z.output<typeof StatusUpdate>;

/** What another service saw become of a notification. */
export const StatusReport = z.strictObject({
  notificationId: Id,
  serviceName: ServiceName,
  status: z.enum(REPORT_STATUSES),
  occurredAt: Time,
  code: z.string().min(1).max(100).optional(),
  deliveryId: z.string().min(1).max(64).optional(),
});
export type StatusReport = z.output<typeof StatusReport>;

/** To the dead letters: this notification settled to failed. */
export const FailedNotice = z.object({
  schemaVersion: z.int(),
  notificationId: Id,
  serviceName: ServiceName,
  round: z.int(),
});
export type FailedNotice = z.output<typeof FailedNotice>;

/** To the dead letters: this message was refused. The message itself is kept whole, so that it can be replayed. */
export const RefusedMessage = z.object({
  schemaVersion: z.int(),
  queue: z.string(),
  type: z.string().nullable(),
  messageId: z.string().nullable(),
  correlationId: z.string().nullable(),
  userId: z.string().nullable(),
  code: z.string(),
  errors: z.array(z.object({ in: z.string(), field: z.string(), code: z.string(), message: z.string() })),
  /** base64 */
  payload: z.string(),
});
export type RefusedMessage = z.output<typeof RefusedMessage>;

/** To the producer, on `services`. */
export const IntakeAccepted = z.object({
  schemaVersion: z.int(),
  messageId: z.string(),
  correlationId: z.string().nullable(),
  producer: z.string(),
  notificationId: Id.nullable(),
  bulkId: Id.nullable(),
});
export type IntakeAccepted = z.output<typeof IntakeAccepted>;

export const IntakeRefused = z.object({
  schemaVersion: z.int(),
  messageId: z.string().nullable(),
  correlationId: z.string().nullable(),
  producer: z.string().nullable(),
  code: z.string(),
  errors: z.array(z.object({ in: z.string(), field: z.string(), code: z.string(), message: z.string() })),
});
export type IntakeRefused = z.output<typeof IntakeRefused>;

/** To Carillon's own processes, on `services`: what was cached under this name and key has changed. */
export const Invalidation = z.object({ schemaVersion: z.int(), cache: z.string(), key: z.string().nullable() });
export type Invalidation = z.output<typeof Invalidation>;

/** To Carillon's own gateways, on `services`: look at these readers' inboxes. Digests, so that nobody else learns who. */
export const InboxChanged = z.object({ schemaVersion: z.int(), readers: z.array(z.string()) });
export type InboxChanged = z.output<typeof InboxChanged>;

/** Name on the wire (`type`) -> payload: all other message types derive from this map. */
export const MESSAGES = {
  'notification.deliver': Wake,
  'notification.send': CreateNotification,
  'notification.bulk': CreateBulk,
  'notification.status': StatusUpdate,
  'notification.report': StatusReport,
  'notification.failed': FailedNotice,
  'notification.message-refused': RefusedMessage,
  'notification.accepted': IntakeAccepted,
  'notification.refused': IntakeRefused,
  'carillon.invalidate': Invalidation,
  'carillon.inbox': InboxChanged,
} as const;
export type MessageType = keyof typeof MESSAGES;
export type MessageOf<T extends MessageType> = z.output<(typeof MESSAGES)[T]>;
