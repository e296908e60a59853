import { randomBytes } from 'node:crypto';
import type { Idempotency, NewNotification, Outbox } from '#domain/accepted';
import { atOnce, RELAY_GRACE_MS } from '#domain/change';
import type { Delivery, Notification } from '#domain/notification';
import { itemId } from '#domain/item-ids';
import type { Settlement } from '#domain/settle';
import type { NewInboxItem } from '#inbox/ports';

/** 24 hex digits, no two alike. */
export const anId = (): string => randomBytes(12).toString('hex');

/** Ids in turn, so far apart that those of a bulk's items lie between. */
export const idsInTurn = (): (() => string) => {
  let last = 0;
  return () => `${(last += 1).toString(16).padStart(19, '0')}00000`;
};

let items = 0;

/** A notification as the door makes it: approved, to be sent at once. */
export const aNotification = (over: Partial<Notification> = {}): Notification => {
  const now = new Date();
  return {
    id: over.bulkId == null ? anId() : itemId(over.bulkId, (items += 1)),
    serviceName: 'test',
    tenantId: null,
    userId: 'p-1',
    reference: null,
    channel: 'push',
    type: 'info',
    priority: 'normal',
    lane: 'normal',
    groupId: null,
    group: null,
    bulkId: null,
    bulkIndex: null,
    title: 'Insulin',
    body: 'Time for your 8:00 dose',
    html: null,
    template: null,
    data: { rx: '9931' },
    metadata: {},
    sms: null,
    atMostOnce: false,
    onLimit: 'fail',
    sendAt: null,
    expiresAt: null,
    place: null,
    dueAt: null,
    state: 'approved',
    version: 1,
    waiting: null,
    round: 1,
    attempt: 0,
    claims: 0,
    alone: false,
    nextAttemptAt: atOnce(now),
    lease: null,
    groupDueAt: null,
    retryForbidden: false,
    to: ['token-1'],
    deliveries: [],
    createdAt: now,
    updatedAt: now,
    approvedAt: now,
    sentAt: null,
    deliveredAt: null,
    openedAt: null,
    readAt: null,
    failedAt: null,
    lastError: null,
    history: [{ from: null, to: 'approved', at: now, actor: 'key:1', reason: null }],
    traceparent: null,
    owner: 'tests',
    ...over,
  };
};

/** What a new notification owes: its wake and its first status. */
export const anOutbox = (over: Partial<Outbox> = {}): Outbox => ({
  at: new Date(Date.now() + RELAY_GRACE_MS),
  wake: true,
  status: true,
  previousStatus: null,
  deadLetter: false,
  ...over,
});

export const accepted = (
  over: Partial<Notification> = {},
  idempotency: Idempotency | null = null,
  outbox: Outbox | null = anOutbox(),
): NewNotification => ({ notification: aNotification(over), idempotency, outbox });

export const aDelivery = (notificationId: string, over: Partial<Delivery> = {}): Delivery => ({
  id: `${notificationId}-1`,
  target: 'token-1',
  status: 'sent',
  provider: 'fcm',
  providerMessageId: `projects/test/messages/${notificationId}`,
  attempts: [
    {
      number: 1,
      at: new Date(),
      durationMs: 3,
      provider: 'fcm',
      outcome: 'sent',
      code: null,
      providerStatus: '200',
      retryAfterMs: null,
    },
  ],
  ...over,
});

/** What a claimed notification settles to, sent unless said otherwise. */
export const aSettlement = (claimed: Notification, over: Partial<Settlement> = {}): Settlement => ({
  id: claimed.id,
  serviceName: claimed.serviceName,
  token: claimed.lease?.token ?? '',
  state: 'sent',
  status: 'sent',
  attempt: claimed.attempt + 1,
  deliveries: [aDelivery(claimed.id)],
  lastError: null,
  reason: null,
  wait: null,
  place: claimed.place,
  goneTargets: [],
  ...over,
});

/** For user p-1042 of the service test, unless said otherwise. */
export const anInboxItem = (changes: Partial<NewInboxItem> = {}): NewInboxItem => {
  const notificationId = changes.id?.slice(0, 24) ?? changes.notificationId ?? anId();
  return {
    id: `${notificationId}-1`,
    notificationId,
    serviceName: 'test',
    tenantId: null,
    userId: 'p-1042',
    type: 'reminder',
    priority: 'normal',
    title: 'Insulin',
    body: 'Time for your 8:00 dose',
    data: { rx: '9931' },
    reference: null,
    groupId: null,
    expiresAt: new Date(Date.now() + 86_400_000),
    ...changes,
  };
};
