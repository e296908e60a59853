import { Types } from 'mongoose';
import type { NewNotification } from '#domain/accepted';
import type { Notification } from '#domain/notification';
import { statusOfNotification } from '#domain/states';
import { packJson, unpackJson } from '../free-json.js';
import type { NotificationDocument } from './schema.js';

/** @throws Error for an id that is not 24 hex digits */
export const toDocument = ({ notification, idempotency, outbox }: NewNotification): NotificationDocument => {
  const { id, data, metadata, ...rest } = notification;
  const document: Record<string, unknown> = {
    _id: Types.ObjectId.createFromHexString(id),
    status: statusOfNotification(notification),
    data: packJson(data),
    metadata: packJson(metadata),
  };
  for (const [name, value] of Object.entries(rest)) if (value !== null) document[name] = value;
  if (idempotency !== null) document['idempotency'] = idempotency;
  if (outbox !== null) document['outbox'] = outbox;
  return document as unknown as NotificationDocument;
};

/** Also of a document that a projection left incomplete: what is missing is null or empty. */
export const fromDocument = (document: NotificationDocument): Notification => ({
  id: document._id.toHexString(),
  serviceName: document.serviceName,
  tenantId: document.tenantId ?? null,
  userId: document.userId ?? null,
  reference: document.reference ?? null,
  channel: document.channel,
  type: document.type,
  priority: document.priority,
  lane: document.lane,
  groupId: document.groupId ?? null,
  bulkId: document.bulkId ?? null,
  bulkIndex: document.bulkIndex ?? null,
  title: document.title ?? null,
  body: document.body ?? '',
  html: document.html ?? null,
  data: unpackJson(document.data),
  metadata: unpackJson(document.metadata),
  atMostOnce: document.atMostOnce,
  onLimit: document.onLimit,
  sendAt: document.sendAt ?? null,
  expiresAt: document.expiresAt ?? null,
  dueAt: document.dueAt ?? null,
  state: document.state,
  version: document.version,
  waiting: document.waiting ?? null,
  round: document.round,
  attempt: document.attempt,
  claims: document.claims,
  alone: document.alone,
  nextAttemptAt: document.nextAttemptAt ?? null,
  lease: document.state === 'sending' ? (document.lease ?? null) : null,
  retryForbidden: document.retryForbidden,
  to: document.to ?? null,
  deliveries: document.deliveries ?? [],
  createdAt: document.createdAt,
  updatedAt: document.updatedAt,
  approvedAt: document.approvedAt ?? null,
  sentAt: document.sentAt ?? null,
  deliveredAt: document.deliveredAt ?? null,
  openedAt: document.openedAt ?? null,
  readAt: document.readAt ?? null,
  failedAt: document.failedAt ?? null,
  lastError: document.lastError ?? null,
  history: document.history ?? [],
  traceparent: document.traceparent ?? null,
  owner: document.owner,
});
