import type { FailedNotice, RefusedMessage } from '#contracts/messages';
import type { DeadLetterStatus, ErrorClass } from '#contracts/vocabulary';
import { type Alerts, alertGroup } from '#domain/alert';
import { awaitsAutomaticRetry, type DeadLetter } from '#domain/dead-letter';
import type { Notification } from '#domain/notification';
import { isAutomaticRound } from '#domain/round';
import type { Clock, DeadLetterStore, NotificationStore } from './ports.js';

export interface DeadLetterKeeperParts {
  store: Pick<NotificationStore, 'find'>;
  deadLetters: Pick<DeadLetterStore, 'record' | 'closeFor'>;
  alerts: Alerts;
  now: Clock;
  newId: () => string;
  /** From failure to the automatic retry, in milliseconds. */
  retryAfterMs: number;
  onKept?: (deadLetter: DeadLetter) => void;
}

/** Stores what failed for good, says whether it is tried once more, and alerts. A notice may come twice. */
export class DeadLetterKeeper {
  constructor(private readonly parts: DeadLetterKeeperParts) {}

  /** A notification that was deleted meanwhile leaves nothing to keep. */
  async keepFailed(notice: FailedNotice): Promise<void> {
    const { store, deadLetters, now, newId, retryAfterMs } = this.parts;
    const notification = await store.find(notice.notificationId, [notice.serviceName]);
    if (notification === null) return;
    const { id, serviceName, tenantId, channel, lastError } = notification;
    const status = statusOf(notification, notice.round);
    const at = now();
    const retried = status === 'waiting' && awaitsAutomaticRetry(notification);
    await this.keep({
      id: newId(),
      notificationId: id,
      round: notice.round,
      serviceName,
      tenantId,
      channel,
      class: lastError?.class ?? 'provider',
      status,
      code: lastError?.code ?? 'unknown',
      reason: lastError?.message ?? 'it failed, and nothing says why',
      queue: null,
      retryAt: retried ? new Date((notification.failedAt ?? at).getTime() + retryAfterMs) : null,
      createdAt: at,
      updatedAt: at,
      errors: [],
      message: null,
    });
    if (status === 'retried' || status === 'resolved') await deadLetters.closeFor(id, notice.round, status);
    if (notice.round > 1) await deadLetters.closeFor(id, notice.round - 1, 'retried');
  }

  async keepRefused(refused: RefusedMessage): Promise<void> {
    const at = this.parts.now();
    const { queue, type, messageId, correlationId, userId, code, payload } = refused;
    const errors = refused.errors.map((error) => ({ ...error, in: placeOf(error.in) }));
    await this.keep({
      id: this.parts.newId(),
      notificationId: null,
      round: null,
      serviceName: serviceNamed(payload),
      tenantId: null,
      channel: null,
      class: classOf(code),
      status: 'waiting',
      code,
      reason:
        errors.length === 0
          ? code
          : errors
              .slice(0, 3)
              .map(({ field, message }) => `${field} ${message}`.trim())
              .join('; '),
      queue,
      retryAt: null,
      createdAt: at,
      updatedAt: at,
      errors,
      message: { type, messageId, correlationId, userId, payload },
    });
  }

  private async keep(deadLetter: DeadLetter): Promise<void> {
    const isNew = await this.parts.deadLetters.record(deadLetter);
    if (!isNew) return;
    this.parts.onKept?.(deadLetter);
    if (deadLetter.status !== 'waiting' && deadLetter.status !== 'archived') return;
    const { class: errorClass, serviceName, channel, code, reason } = deadLetter;
    await this.parts.alerts.raise({
      group: alertGroup(deadLetter),
      class: errorClass,
      serviceName,
      channel,
      code,
      reason,
    });
  }
}

/** Where a dead letter of that round stands, by what became of its notification since. */
const statusOf = (notification: Notification, round: number): DeadLetterStatus => {
  if (notification.round > round) return 'retried';
  if (notification.state !== 'failed' || notification.retryForbidden) return 'resolved';
  return isAutomaticRound(notification) ? 'archived' : 'waiting';
};

const PLACES = ['body', 'query', 'path', 'header'] as const;
const placeOf = (place: string): (typeof PLACES)[number] => PLACES.find((known) => known === place) ?? 'body';

/** `delivery_limit` is RabbitMQ's word for a message that was put back too often. */
const classOf = (code: string): ErrorClass => {
  if (code === 'delivery_limit') return 'poison';
  return code === 'no_target' ? 'recipient' : 'schema';
};

/** The service that a refused message names, where it can be read: who may use that service may see the dead letter. */
const serviceNamed = (payload: string): string | null => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('serviceName' in parsed)) return null;
    const { serviceName } = parsed;
    return typeof serviceName === 'string' && /^[a-z][a-z0-9-]{0,37}$/.test(serviceName) ? serviceName : null;
  } catch {
    return null;
  }
};
