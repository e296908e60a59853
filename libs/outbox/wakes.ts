import { EXCHANGES, deliverKey, waitKey } from '#contracts/topology';
import { SCHEMA_VERSION, WAKES_TOGETHER } from '#contracts/messages';
import type { Announcement, AnnouncedNotification } from '#domain/announcement';
import type { Wait } from '#domain/retry';
import type { Outgoing } from './ports.js';

/** A message, and the places in the batch of those whom it wakes. */
export interface WakeMessage {
  message: Outgoing<'notification.deliver'>;
  owners: number[];
}

interface Wakened {
  notification: AnnouncedNotification;
  owner: number;
}

/**
 * The wake-ups of a batch. A message costs the broker, which keeps it on disk, far more than an id in it: those that are
 * to be woken now in the same lane of one service share one. What waits, or is sent alone, has a message of its own.
 */
export const wakeMessages = (batch: readonly Announcement[]): WakeMessage[] => {
  const messages: WakeMessage[] = [];
  const together = new Map<string, Wakened[]>();
  batch.forEach(({ notification, wake }, owner) => {
    if (wake === 'none' || wake === 'later') return;
    if (wake !== 'now' || notification.alone) return void messages.push(messageOf([{ notification, owner }], wake));
    const { serviceName, channel, lane, attempt } = notification;
    const key = `${serviceName} ${channel} ${lane} ${attempt}`;
    const others = together.get(key) ?? [];
    others.push({ notification, owner });
    if (others.length === 1) together.set(key, others);
    if (others.length < WAKES_TOGETHER) return;
    messages.push(messageOf(others, 'now'));
    together.delete(key);
  });
  for (const rest of together.values()) messages.push(messageOf(rest, 'now'));
  return messages;
};

const messageOf = (wakened: readonly Wakened[], wake: 'now' | Wait): WakeMessage => {
  const [first, ...others] = wakened;
  if (first === undefined) throw new Error('a wake-up is for somebody');
  const { id, serviceName, channel, lane, attempt, alone, version, traceparent } = first.notification;
  return {
    owners: wakened.map(({ owner }) => owner),
    message: {
      exchange: wake === 'now' ? EXCHANGES.api : EXCHANGES.retry,
      routingKey: wake === 'now' ? deliverKey(channel, lane) : waitKey(wake.rung, wake.variant, channel, lane),
      type: 'notification.deliver',
      payload: {
        schemaVersion: SCHEMA_VERSION,
        notificationId: id,
        others: others.map(({ notification }) => notification.id),
        serviceName,
        attempt: attempt + 1,
        alone,
      },
      messageId: `${id}:${version}:wake`,
      // Of one trace, or of none; each one's own goes on from its document.
      ...(others.length > 0 || traceparent === null ? {} : { traceparent }),
      mandatory: true,
    },
  };
};
