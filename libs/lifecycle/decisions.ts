import type { Guard } from '#contracts/vocabulary';
import { type Action, allowedActions, isInEffect } from '#domain/states';
import { atOnce, markedWith, transitionTo } from '#domain/change';
import { guardedBy, InvalidTransition, ValidationFailed } from '#domain/errors';
import type { Delivery, Notification } from '#domain/notification';
import { MAX_ROUNDS } from '#domain/retry';
import { nextRound } from '#domain/round';
import { closed } from '#domain/settle';
import type { Plan } from './attempts.js';

/** What each action makes of a notification: nothing more when it is in effect already, a refusal where it is impossible. */

export interface Asked {
  actor: string;
  /** The client that asks (`Caller.owner`). */
  owner: string;
  at: Date;
  note: string | null;
}

export type ResolveOutcome = 'sent' | 'failed' | 'retry';

/** @throws InvalidTransition with what is possible instead */
export const refuse = (
  notification: Notification,
  action: Action,
  { guard, why }: { guard: Guard; why?: string | undefined },
): never => {
  const allowed = allowedActions(notification, MAX_ROUNDS).filter(
    (possible) => why === undefined || possible !== action,
  );
  throw guardedBy(
    guard,
    new InvalidTransition(
      notification.state,
      allowed,
      why ?? `${action} is not possible while the notification is ${notification.state}`,
    ),
  );
};

/** Whether the action is still to be carried out. @throws InvalidTransition */
export const isOpenFor = (notification: Notification, action: Action, outcome?: ResolveOutcome): boolean => {
  if (isInEffect(notification, action, outcome)) return false;
  if (allowedActions(notification, MAX_ROUNDS).includes(action)) return true;
  return action === 'retry' && notification.state === 'failed'
    ? refuse(notification, action, { guard: 'retries', why: 'it has been retried as often as it may be' })
    : refuse(notification, action, { guard: 'state' });
};

export const isPast = (expiresAt: Date | null, now: Date): boolean => expiresAt !== null && expiresAt <= now;

/** Refused by its `expiresAt`. */
export const PAST = { guard: 'time', why: 'its expiresAt has passed' } as const;

/** It will not be claimed any more. */
const AT_REST = { waiting: null, nextAttemptAt: null } as const;

export const reject = (notification: Notification, { actor, at, note }: Asked): Plan | null =>
  isOpenFor(notification, 'reject')
    ? { change: transitionTo(notification, 'rejected', { at, actor, reason: note, set: AT_REST }) }
    : null;

export const cancel = (notification: Notification, { actor, at, note }: Asked): Plan | null => {
  if (!isOpenFor(notification, 'cancel')) return null;
  if (notification.state === 'failed')
    // The notice comes to the dead letters once more, and closes what may have been stored meanwhile.
    return { change: markedWith(notification, { at, set: { retryForbidden: true }, deadLetter: true }) };
  const deliveries = closed(notification.deliveries, 'failed');
  return {
    change: transitionTo(notification, 'cancelled', { at, actor, reason: note, set: { ...AT_REST, deliveries } }),
  };
};

export const retry = (notification: Notification, { actor, at, note }: Asked): Plan | null => {
  if (!isOpenFor(notification, 'retry')) return null;
  if (isPast(notification.expiresAt, at)) refuse(notification, 'retry', PAST);
  return { change: nextRound(notification, at, actor, note) };
};

const uncertainAs = (deliveries: readonly Delivery[], status: 'sent' | 'failed' | 'open'): Delivery[] =>
  deliveries.map((delivery) => (delivery.status === 'uncertain' ? { ...delivery, status } : delivery));

export const resolve = (
  notification: Notification,
  outcome: ResolveOutcome,
  { actor, at, note }: Asked,
): Plan | null => {
  if (!isOpenFor(notification, 'resolve', outcome)) return null;
  const step = { at, actor, reason: note };
  const { deliveries } = notification;
  switch (outcome) {
    case 'sent':
      return {
        change: transitionTo(notification, 'sent', {
          ...step,
          set: { ...AT_REST, sentAt: notification.sentAt ?? at, deliveries: uncertainAs(deliveries, 'sent') },
        }),
      };
    case 'failed':
      // A person knows of it and has decided: it is no dead letter, and nothing is tried by itself.
      return {
        change: transitionTo(notification, 'failed', {
          ...step,
          set: { ...AT_REST, failedAt: at, retryForbidden: true, deliveries: uncertainAs(deliveries, 'failed') },
        }),
      };
    case 'retry':
      if (isPast(notification.expiresAt, at))
        throw guardedBy(
          'time',
          new ValidationFailed([
            { in: 'body', field: '/outcome', code: 'expired', message: 'must be sent or failed: expiresAt has passed' },
          ]),
        );
      return {
        change: transitionTo(notification, 'approved', {
          ...step,
          wake: true,
          set: { waiting: null, nextAttemptAt: atOnce(at), claims: 0, deliveries: uncertainAs(deliveries, 'open') },
        }),
      };
  }
};

export const read = (notification: Notification, { at }: Asked): Plan | null =>
  isOpenFor(notification, 'read') ? { change: markedWith(notification, { at, set: { readAt: at } }) } : null;
