import type { OnLimit } from '#contracts/vocabulary';
import { RateLimited } from '#domain/errors';
import { type ChannelLimits, soonAfter } from '#domain/limits';
import { isHeldBack } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { moveTo } from './command.js';

/**
 * Reserves places in the limits of services and channels for what is to be sent at once; what is due later has its
 * place reserved then, and so has what waits for its turn in a group. Puts into `placed` what follows, and takes out what is refused.
 * @returns refusals by index
 */
export const placeInChannels = async (
  limits: ChannelLimits,
  placed: Map<number, Notification>,
  onLimitOf: (index: number) => OnLimit | null,
  now: () => Date,
): Promise<ReadonlyMap<number, RateLimited>> => {
  const wanting = [...placed].filter(
    ([, notification]) =>
      notification.state === 'approved' &&
      notification.dueAt === null &&
      !isHeldBack(notification) &&
      limits.isLimited(notification.serviceName, notification.channel),
  );
  const refusals = new Map<number, RateLimited>();
  if (wanting.length === 0) return refusals;
  const grants = await limits.reserve(
    wanting.map(([index, { serviceName, channel, onLimit }]) => ({
      serviceName,
      channel,
      onLimit: onLimitOf(index),
      otherwise: onLimit,
    })),
  );
  const soon = soonAfter(now());
  wanting.forEach(([index, notification], at) => {
    const grant = grants[at];
    if (grant?.granted === true) {
      const { at: place } = grant;
      placed.set(index, { ...(place > soon ? moveTo(notification, place) : notification), place });
    } else {
      placed.delete(index);
      refusals.set(index, new RateLimited('channel', Math.max(1, Math.ceil((grant?.retryAfterMs ?? 0) / 1000))));
    }
  });
  return refusals;
};
