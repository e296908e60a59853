import type { ApprovedNotifications, NotificationBody, NotificationItem } from '#contracts/http/notification';
import { DELIVERY_STATUSES, type DeliveryStatus, type State } from '#contracts/vocabulary';
import { CHANNEL_RULES } from '#domain/channels/channels';
import type { Delivery, DeliveryAttempt, Notification, NotificationError, Transition } from '#domain/notification';
import { type DomainError, ValidationFailed } from '#domain/errors';
import { comesLater, HELD_BACK } from '#domain/groups';
import { isFinal, statusOfNotification } from '#domain/states';

const time = (date: Date | null): string | null => (date === null ? null : date.toISOString());

const attemptView = (attempt: DeliveryAttempt): NotificationBody['deliveries'][number]['attempts'][number] => ({
  number: attempt.number,
  at: attempt.at.toISOString(),
  durationMs: attempt.durationMs,
  provider: attempt.provider,
  outcome: attempt.outcome,
  code: attempt.code,
  providerStatus: attempt.providerStatus,
  retryAfterMs: attempt.retryAfterMs,
  tried: [...(attempt.tried ?? [])],
});

const deliveryView = (notification: Notification, delivery: Delivery): NotificationBody['deliveries'][number] => ({
  id: delivery.id,
  target: CHANNEL_RULES[notification.channel].maskTarget(delivery.target),
  status: delivery.status,
  provider: delivery.provider,
  providerMessageId: delivery.providerMessageId,
  attempts: delivery.attempts.map(attemptView),
});

const transitionView = (transition: Transition): NotificationBody['history'][number] => ({
  from: transition.from,
  to: transition.to,
  at: transition.at.toISOString(),
  actor: transition.actor,
  reason: transition.reason,
});

const errorView = (error: NotificationError | null): NotificationItem['lastError'] =>
  error === null ? null : { code: error.code, class: error.class, message: error.message, at: error.at.toISOString() };

const countsOf = (deliveries: readonly Delivery[]): NotificationItem['deliveryCounts'] => {
  const counts = Object.fromEntries(DELIVERY_STATUSES.map((status) => [status, 0])) as Record<DeliveryStatus, number>;
  for (const delivery of deliveries) counts[delivery.status] += 1;
  return { total: deliveries.length, ...counts };
};

const placeView = (group: Notification['group']): NotificationItem['group'] =>
  group === null ? null : { mode: group.mode, position: group.position };

/** What a list shows of a notification. */
export const itemView = (notification: Notification): NotificationItem => ({
  id: notification.id,
  serviceName: notification.serviceName,
  tenantId: notification.tenantId,
  userId: notification.userId,
  reference: notification.reference,
  channel: notification.channel,
  type: notification.type,
  priority: notification.priority,
  groupId: notification.groupId,
  group: placeView(notification.group),
  bulkId: notification.bulkId,
  bulkIndex: notification.bulkIndex,
  title: notification.title,
  metadata: notification.metadata,
  status: statusOfNotification(notification),
  state: notification.state,
  final: isFinal(notification),
  version: notification.version,
  waiting:
    notification.waiting === null
      ? null
      : { reason: notification.waiting.reason, until: time(notification.waiting.until) },
  atMostOnce: notification.atMostOnce,
  sendAt: time(notification.sendAt),
  expiresAt: time(notification.expiresAt),
  createdAt: notification.createdAt.toISOString(),
  updatedAt: notification.updatedAt.toISOString(),
  approvedAt: time(notification.approvedAt),
  sentAt: time(notification.sentAt),
  deliveredAt: time(notification.deliveredAt),
  openedAt: time(notification.openedAt),
  readAt: time(notification.readAt),
  failedAt: time(notification.failedAt),
  lastError: errorView(notification.lastError),
  deliveryCounts: countsOf(notification.deliveries),
});

/** A notification as it stands now; targets are masked. */
export const notificationView = (notification: Notification): NotificationBody => ({
  ...itemView(notification),
  body: notification.body,
  data: notification.data,
  template: notification.template,
  sms: notification.sms,
  deliveries: notification.deliveries.map((delivery) => deliveryView(notification, delivery)),
  history: notification.history.map(transitionView),
});

const stateAtAccept = (notification: Notification): State => notification.history[0]?.to ?? 'approved';

const waitingAtAccept = (notification: Notification, state: State): Notification['waiting'] => {
  if (state === 'draft') return { reason: 'approval', until: null };
  if (comesLater(notification)) return HELD_BACK.waiting;
  const { dueAt, sendAt } = notification;
  if (dueAt === null) return null;
  return { reason: dueAt.getTime() === sendAt?.getTime() ? 'scheduled' : 'rate_limit', until: dueAt };
};

/**
 * A notification as its creation was answered, made only of what never changes after: the first answer and every
 * replay are the same, wherever it stands by now.
 */
export const acceptedView = (notification: Notification): NotificationBody => {
  const state = stateAtAccept(notification);
  return notificationView({
    ...notification,
    state,
    version: 1,
    waiting: waitingAtAccept(notification, state),
    updatedAt: notification.createdAt,
    approvedAt: state === 'draft' ? null : notification.createdAt,
    sentAt: null,
    deliveredAt: null,
    openedAt: null,
    readAt: null,
    failedAt: null,
    lastError: null,
    deliveries: [],
    history: notification.history.slice(0, 1),
  });
};

/** What became of each one that was to be approved. */
export const approvedView = (
  results: readonly ({ id: string } & ({ notification: Notification } | { error: DomainError }))[],
): ApprovedNotifications => {
  const approved = results.filter((result) => 'notification' in result).length;
  return {
    approved,
    refused: results.length - approved,
    results: results.map((result) =>
      'notification' in result
        ? { id: result.id, notification: itemView(result.notification), error: null }
        : { id: result.id, notification: null, error: refusalView(result.error) },
    ),
  };
};

const refusalView = (error: DomainError): ApprovedNotifications['results'][number]['error'] => ({
  code: error.code,
  message: error.message,
  guard: error.guard,
  errors:
    error instanceof ValidationFailed ? error.errors.map(({ field, code, message }) => ({ field, code, message })) : [],
});
