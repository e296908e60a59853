import type { DeadLetterBody, DeadLetterItem } from '#contracts/http/dead-letters';
import type { DeadLetter } from '#domain/dead-letter';
import type { Notification } from '#domain/notification';
import { notificationView } from './views.js';

/** What a list shows of a dead letter: never the refused message itself. */
export const deadLetterItem = (deadLetter: DeadLetter): DeadLetterItem => ({
  id: deadLetter.id,
  notificationId: deadLetter.notificationId,
  round: deadLetter.round,
  serviceName: deadLetter.serviceName,
  channel: deadLetter.channel,
  class: deadLetter.class,
  status: deadLetter.status,
  code: deadLetter.code,
  reason: deadLetter.reason,
  queue: deadLetter.queue,
  retryAt: deadLetter.retryAt === null ? null : deadLetter.retryAt.toISOString(),
  createdAt: deadLetter.createdAt.toISOString(),
  updatedAt: deadLetter.updatedAt.toISOString(),
  errors: deadLetter.errors.map(({ field, code, message }) => ({ field, code, message })),
});

export const deadLetterView = (shown: {
  deadLetter: DeadLetter;
  notification: Notification | null;
}): DeadLetterBody => ({
  ...deadLetterItem(shown.deadLetter),
  notification: shown.notification === null ? null : notificationView(shown.notification),
});
