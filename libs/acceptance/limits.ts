import { z } from 'zod';
import { flag, integer } from '#config/settings';
import type { Notification } from '#domain/notification';
import { isHeldBack } from '#domain/groups';
import { addressDigest } from './fingerprint.js';
import type { LimitRequest } from '#domain/limits';

/** `diabetes=20,wellness=5` */
const perService = z
  .string()
  .regex(/^[a-z0-9-]+=\d{1,6}(,[a-z0-9-]+=\d{1,6})*$/, 'must look like diabetes=20,wellness=5')
  .transform((text) => new Map(text.split(',').map((pair) => [pair.split('=')[0] ?? '', Number(pair.split('=')[1])])));

export const limitSettings = z.object({
  USER_LIMIT_PER_MINUTE: integer(1, 1_000_000)
    .default(10)
    .meta({ description: 'notifications that one user of one service gets in a minute' }),
  USER_LIMITS: perService
    .optional()
    .meta({ description: 'the same for single services, such as diabetes=20,wellness=5' }),
  USER_LIMIT_EXEMPT_ALERTS: flag().default(false).meta({ description: 'whether alerts pass without being counted' }),
});
export type LimitSettings = z.output<typeof limitSettings>;

const MINUTE_MS = 60_000;

/** The minute that contains a time: the fixed window that a place is counted in. */
export const minuteOf = (at: Date): Date => new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS);

/** How a user of a service, or an address where there is no user, is counted: over all types and channels. */
export const limitKeys = (notification: Pick<Notification, 'serviceName' | 'tenantId' | 'userId' | 'to'>): string[] => {
  const scope = `${notification.serviceName}:${notification.tenantId ?? ''}`;
  if (notification.userId !== null) return [`${scope}:u:${notification.userId}`];
  return (notification.to ?? []).map((target) => `${scope}:a:${addressDigest(target)}`);
};

/** The places that a notification needs before it may be sent; none for a draft, which is counted when approved, nor for
 * what only comes where another one does not arrive: it goes by the place of the first. */
export const limitRequests = (notification: Notification, now: Date, settings: LimitSettings): LimitRequest[] => {
  if (notification.state === 'draft' || isHeldBack(notification)) return [];
  if (settings.USER_LIMIT_EXEMPT_ALERTS && notification.type === 'alert') return [];
  const max = settings.USER_LIMITS?.get(notification.serviceName) ?? settings.USER_LIMIT_PER_MINUTE;
  const scheduled = notification.dueAt !== null;
  const at = minuteOf(notification.dueAt ?? now);
  const mode = scheduled ? 'wait' : notification.onLimit;
  return limitKeys(notification).map((key) => ({ key, at, max, mode }));
};
