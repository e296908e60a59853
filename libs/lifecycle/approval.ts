import type { FieldError } from '#contracts/problems';
import { CHANNEL_RULES } from '#domain/channels/channels';
import { atOnce, transitionTo } from '#domain/change';
import { comesLater, HELD_BACK } from '#domain/groups';
import { ApproverIsAuthor, guardedBy, NoTarget, RateLimited, ValidationFailed } from '#domain/errors';
import type { Notification } from '#domain/notification';
import type { Plan } from './attempts.js';
import { type Asked, isOpenFor, isPast, PAST, refuse } from './decisions.js';
import type { UserLimits } from '#domain/limits';
import type { PlacesNeeded, RecipientLookup } from './ports.js';

export interface ApprovalParts {
  limits: UserLimits;
  recipients: RecipientLookup;
  placesNeeded: PlacesNeeded;
  /** Whether a service's drafts are approved by others than who made them. */
  byOthers: (serviceName: string) => boolean;
}

interface Place {
  key: string;
  minute: Date;
}

/**
 * Approves a draft: its content and recipient are checked once more, and it takes its places in its user's minutes. One
 * that comes later in its group waits for its turn.
 * @throws InvalidTransition, ApproverIsAuthor, ValidationFailed, NoTarget, RateLimited
 */
export const approve = async (parts: ApprovalParts, notification: Notification, asked: Asked): Promise<Plan | null> => {
  const { actor, owner, at, note } = asked;
  if (!isOpenFor(notification, 'approve')) return null;
  if (owner === notification.owner && parts.byOthers(notification.serviceName)) throw new ApproverIsAuthor();
  if (isPast(notification.expiresAt, at)) refuse(notification, 'approve', PAST);
  const wrong = contentErrors(notification);
  if (wrong.length > 0) throw guardedBy('content', new ValidationFailed(wrong));
  await requireTarget(parts.recipients, notification);

  if (comesLater(notification))
    return {
      change: transitionTo(notification, 'approved', {
        at,
        actor,
        reason: note,
        set: { approvedAt: at, ...HELD_BACK },
      }),
    };
  const { sendAt } = notification;
  const scheduledFor = sendAt !== null && sendAt > at ? sendAt : null;
  const places = await takePlaces(parts, { ...notification, state: 'approved', dueAt: scheduledFor }, at);
  const dueAt = places.movedTo ?? scheduledFor;
  return {
    change: transitionTo(notification, 'approved', {
      at,
      actor,
      reason: note,
      wake: true,
      set: {
        approvedAt: at,
        waiting: dueAt === null ? null : { reason: places.movedTo === null ? 'scheduled' : 'rate_limit', until: dueAt },
        nextAttemptAt: dueAt ?? atOnce(at),
      },
    }),
    undo: () => (places.taken.length === 0 ? Promise.resolve() : parts.limits.release(places.taken)),
  };
};

const pointer = (path: readonly string[]): string =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const contentErrors = (notification: Notification): FieldError[] => {
  const rules = CHANNEL_RULES[notification.channel];
  const targets = (notification.to ?? []).flatMap((target, index) => {
    const problem = rules.checkTarget(target);
    return problem === null ? [] : [{ ...problem, path: ['to', String(index)] }];
  });
  const empty =
    notification.body.trim() === '' ? [{ path: ['body'], code: 'too_short', message: 'must not be empty' }] : [];
  return [...empty, ...rules.checkContent(notification), ...targets].map(({ path, code, message }) => ({
    in: 'body',
    field: pointer(path),
    code,
    message,
  }));
};

const requireTarget = async (recipients: RecipientLookup, notification: Notification): Promise<void> => {
  const { to, userId, serviceName, channel } = notification;
  if (to !== null && to.length > 0) return;
  const having = userId === null ? null : await recipients.withTarget([{ serviceName, channel, userId }]);
  if (having === null || having.size === 0) throw guardedBy('recipient', new NoTarget(channel));
};

/** Takes all the places that are needed, or none. `movedTo` is the later minute that `wait` led to. */
const takePlaces = async (
  { limits, placesNeeded }: ApprovalParts,
  notification: Notification,
  now: Date,
): Promise<{ taken: Place[]; movedTo: Date | null }> => {
  const requests = placesNeeded(notification, now);
  if (requests.length === 0) return { taken: [], movedTo: null };
  const grants = await limits.reserve(requests);
  const taken = requests.flatMap(({ key }, index) => {
    const grant = grants[index];
    return grant?.granted === true ? [{ key, minute: grant.minute }] : [];
  });
  if (taken.length < requests.length) {
    if (taken.length > 0) await limits.release(taken);
    const waits = grants.map((grant) => (grant.granted ? 0 : grant.retryAfterMs));
    throw guardedBy('limit', new RateLimited('user', Math.max(1, Math.ceil(Math.max(...waits) / 1000))));
  }
  const moved = requests.some(({ at }, index) => {
    const place = taken[index];
    return place !== undefined && place.minute > at;
  });
  const latest = new Date(Math.max(...taken.map(({ minute }) => minute.getTime())));
  return { taken, movedTo: moved ? latest : null };
};
