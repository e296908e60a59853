import type { TokenMessage } from 'firebase-admin/messaging';
import type { NotificationType } from '#contracts/vocabulary';
import { pushPayload } from '#domain/channels/push';
import type { SendRequest } from '#domain/sender';

/** How a type of notification behaves on a device. */
interface Manner {
  urgent: boolean;
  sound: boolean;
  /** How long FCM keeps it for a device that is off; `expiresAt` can only shorten it. */
  ttlSeconds: number;
  /**
   * While a device is off, FCM keeps only the newest of each key (and at most four keys): by type, so that a campaign
   * never replaces an alert.
   */
  collapseKey: string;
}

const MANNERS: Readonly<Record<NotificationType, Manner>> = {
  alert: { urgent: true, sound: true, ttlSeconds: 24 * 3600, collapseKey: 'alert' },
  reminder: { urgent: true, sound: true, ttlSeconds: 4 * 3600, collapseKey: 'reminder' },
  info: { urgent: false, sound: false, ttlSeconds: 7 * 24 * 3600, collapseKey: 'info' },
};

/** FCM keeps nothing longer than four weeks. */
const ttlSeconds = (manner: Manner, expiresAt: Date | null, now: Date): number => {
  const left = expiresAt === null ? Infinity : Math.floor((expiresAt.getTime() - now.getTime()) / 1000);
  return Math.max(0, Math.min(manner.ttlSeconds, left));
};

/** The type decides; a priority other than normal has the last word on urgency. */
const isUrgent = (manner: Manner, { priority }: SendRequest): boolean =>
  priority === 'normal' ? manner.urgent : priority === 'high';

/**
 * One FCM message. The delivery id is also the tag under which the device shows it, so that the same delivery, should
 * it come twice, is seen once. https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
 */
export const pushMessage = (request: SendRequest, now: Date): TokenMessage => {
  const manner = MANNERS[request.type];
  const urgent = isUrgent(manner, request);
  const ttl = ttlSeconds(manner, request.expiresAt, now);
  return {
    token: request.target,
    ...pushPayload(request, request),
    android: {
      priority: urgent ? 'high' : 'normal',
      ttl: ttl * 1000,
      collapseKey: manner.collapseKey,
      notification: { tag: request.deliveryId, ...(manner.sound && { sound: 'default' }) },
    },
    apns: {
      headers: {
        // https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
        'apns-priority': urgent ? '10' : '5',
        'apns-expiration': String(Math.floor(now.getTime() / 1000) + ttl),
        'apns-collapse-id': request.deliveryId,
      },
      payload: {
        aps: {
          ...(manner.sound && { sound: 'default' }),
          ...(request.groupId !== null && { threadId: request.groupId }),
        },
      },
    },
    webpush: { headers: { TTL: String(ttl), Urgency: urgent ? 'high' : 'normal' } },
  };
};
