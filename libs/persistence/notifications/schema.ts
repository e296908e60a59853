import type { Types } from 'mongoose';
import type { Status } from '#contracts/vocabulary';
import type { Idempotency, Outbox } from '#domain/accepted';
import type { Notification } from '#domain/notification';
import { CollectionOf } from '../databases.js';
import type { FreeJson } from '../free-json.js';
import { schemaOf, SECONDS_PER_DAY } from '../schema.js';

type NullableKeys<T> = { [K in keyof T]: null extends T[K] ? K : never }[keyof T];
type OptionalKeys = 'atMostOnce' | 'alone' | 'retryForbidden' | 'deliveries';
type LeftOut<T, K extends keyof T> = Omit<T, K> & { [N in K]?: Exclude<T[N], null> | undefined };
/**
 * What may be null is left out instead, and what is mostly false or empty: documents stay small, and partial indexes can
 * ask `$exists`.
 */
type Stored<T extends Record<OptionalKeys, unknown>> = LeftOut<T, NullableKeys<T> | OptionalKeys>;

export interface NotificationDocument extends Stored<Omit<Notification, 'id' | 'data' | 'metadata'>> {
  _id: Types.ObjectId;
  /** Follows from `state`, for the index and for people. */
  status: Status;
  data?: FreeJson | undefined;
  metadata?: FreeJson | undefined;
  idempotency?: Idempotency | undefined;
  outbox?: Outbox | undefined;
}

export const notifications = new CollectionOf<NotificationDocument>('notifications', (settings) => {
  const schema = schemaOf({
    serviceName: { type: String, required: true },
    tenantId: String,
    userId: String,
    reference: String,
    channel: { type: String, required: true },
    type: { type: String, required: true },
    priority: { type: String, required: true },
    lane: { type: String, required: true },
    groupId: String,
    group: { mode: String, position: Number, fallbackAfterSeconds: Number, skipped: [String] },
    bulkId: String,
    bulkIndex: Number,
    title: String,
    body: { type: String, required: true },
    html: String,
    template: { name: String, version: Number, locale: String },
    /** Text where BSON cannot hold the names of its members. */
    data: {},
    metadata: {},
    sms: { encoding: String, segments: Number },
    atMostOnce: Boolean,
    onLimit: String,
    sendAt: Date,
    expiresAt: Date,
    place: Date,
    dueAt: Date,
    status: { type: String, required: true },
    state: { type: String, required: true },
    version: { type: Number, required: true },
    waiting: { reason: String, until: Date },
    round: Number,
    attempt: Number,
    claims: Number,
    alone: Boolean,
    nextAttemptAt: Date,
    /** Stays after settling, to tell whose settling it was; counts only while `state` is sending. */
    lease: { token: String, until: Date },
    groupDueAt: Date,
    retryForbidden: Boolean,
    to: [String],
    deliveries: [
      {
        _id: false,
        id: String,
        target: String,
        status: String,
        provider: String,
        providerMessageId: String,
        attempts: [
          {
            _id: false,
            number: Number,
            at: Date,
            durationMs: Number,
            provider: String,
            outcome: String,
            code: String,
            providerStatus: String,
            retryAfterMs: Number,
            tried: [{ _id: false, provider: String, outcome: String, code: String, providerStatus: String }],
          },
        ],
        place: { of: String, at: Date },
      },
    ],
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    approvedAt: Date,
    sentAt: Date,
    deliveredAt: Date,
    openedAt: Date,
    readAt: Date,
    failedAt: Date,
    lastError: { code: String, class: String, message: String, at: Date },
    history: [{ _id: false, from: String, to: String, at: Date, actor: String, reason: String }],
    traceparent: String,
    owner: String,
    idempotency: { scope: String, fingerprint: String },
    outbox: { at: Date, wake: Boolean, status: Boolean, previousStatus: String, deadLetter: Boolean },
  });

  // Each one costs every insert, so what concerns few documents is partial: an absent field costs nothing.

  // Lists of a user, newest first; unread ones.
  schema.index({ userId: 1, createdAt: -1 }, { name: 'user_newest' });
  // Lists by status, counts, and what is open for too long.
  schema.index({ status: 1, serviceName: 1, createdAt: -1 }, { name: 'status_service_newest' });
  // Retention; also lists without user or status, statistics of a period, and clean-up.
  schema.index(
    { createdAt: 1 },
    { name: 'retention', expireAfterSeconds: settings.CARILLON_RETENTION_DAYS * SECONDS_PER_DAY },
  );
  // Makes an idempotency key good for one notification, and finds it again.
  schema.index(
    { 'idempotency.scope': 1 },
    { name: 'idempotency', unique: true, partialFilterExpression: { 'idempotency.scope': { $exists: true } } },
  );
  // The relay: what is owed to the broker, oldest first.
  schema.index({ 'outbox.at': 1 }, { name: 'outbox', partialFilterExpression: { 'outbox.at': { $exists: true } } });
  // Lost wake-ups: what is due in a lane.
  schema.index(
    { channel: 1, lane: 1, nextAttemptAt: 1 },
    { name: 'due', partialFilterExpression: { state: 'approved' } },
  );
  // Recovery from dispatchers that vanished.
  schema.index({ 'lease.until': 1 }, { name: 'leases', partialFilterExpression: { state: 'sending' } });
  // Expiry of what is open.
  schema.index(
    { expiresAt: 1 },
    { name: 'expiry', partialFilterExpression: { status: 'pending', expiresAt: { $exists: true } } },
  );
  // Lists by the caller's own id.
  schema.index({ reference: 1 }, { name: 'reference', partialFilterExpression: { reference: { $exists: true } } });
  // Lists by group, and its members.
  schema.index({ groupId: 1 }, { name: 'group', partialFilterExpression: { groupId: { $exists: true } } });
  // Groups in which something is to be decided.
  schema.index({ groupDueAt: 1 }, { name: 'groups_due', partialFilterExpression: { groupDueAt: { $exists: true } } });
  // Receipts that name only the provider's own id.
  schema.index(
    { 'deliveries.providerMessageId': 1 },
    { name: 'sms_receipts', partialFilterExpression: { channel: 'sms' } },
  );
  // The automatic retry of failures.
  schema.index({ failedAt: 1 }, { name: 'failures', partialFilterExpression: { state: 'failed' } });
  return schema;
});
