import type { FieldError } from '#contracts/problems';
import type { Channel, DeadLetterStatus, ErrorClass } from '#contracts/vocabulary';
import type { Notification } from './notification.js';

/** A notification that failed for good in a round, or a message that was refused. */
export interface DeadLetter {
  id: string;
  notificationId: string | null;
  round: number | null;
  serviceName: string | null;
  tenantId: string | null;
  channel: Channel | null;
  class: ErrorClass;
  status: DeadLetterStatus;
  code: string;
  reason: string;
  /** The queue that refused a message. */
  queue: string | null;
  /** When it is tried once more by itself; null when it is not. */
  retryAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  errors: FieldError[];
  /** The refused message, for a replay through the door. */
  message: RefusedMessageRecord | null;
}

export interface RefusedMessageRecord {
  type: string | null;
  messageId: string | null;
  correlationId: string | null;
  userId: string | null;
  /** base64 */
  payload: string;
}

/** Classes in which trying again later can help. */
const RECOVERABLE: ReadonlySet<ErrorClass> = new Set(['provider', 'credentials']);

export const canRecover = (errorClass: ErrorClass): boolean => RECOVERABLE.has(errorClass);

/** Whether the one automatic retry is still to come: unspent, not forbidden, and not pointless. */
export const awaitsAutomaticRetry = (
  notification: Pick<Notification, 'state' | 'round' | 'retryForbidden' | 'lastError'>,
): boolean =>
  notification.state === 'failed' &&
  notification.round === 1 &&
  !notification.retryForbidden &&
  notification.lastError !== null &&
  canRecover(notification.lastError.class);
