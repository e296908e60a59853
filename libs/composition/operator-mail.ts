import { randomUUID } from 'node:crypto';
import type { ChannelSender } from '#domain/sender';
import type { OperatorChannel } from '#lifecycle/ports';

/** Mails alerts to the operators by the e-mail provider itself: no notification is made for one. */
export const mailTo = (address: string, sender: ChannelSender): OperatorChannel => ({
  channel: 'email',
  async notify(alert, at) {
    const id = randomUUID();
    const signal = AbortSignal.timeout(sender.timeoutMs);
    const [outcome] = await sender.send(
      [
        {
          deliveryId: `alert-${id}`,
          notificationId: `alert-${id}`,
          serviceName: alert.serviceName ?? '-',
          tenantId: null,
          userId: null,
          reference: null,
          target: address,
          type: 'alert',
          priority: 'high',
          title: `Carillon: ${alert.code} (${alert.group})`,
          body: `${at.toISOString()}\n\nclass    ${alert.class}\nservice  ${alert.serviceName ?? '-'}\nchannel  ${alert.channel ?? '-'}\ncode     ${alert.code}\n\n${alert.reason}\n`,
          html: null,
          data: {},
          groupId: null,
          createdAt: at,
          expiresAt: null,
          atMostOnce: false,
          place: null,
          attempt: 1,
          traceparent: null,
        },
      ],
      signal,
    );
    if (outcome?.kind !== 'sent') throw new Error(`the alert could not be mailed: ${outcome?.code ?? 'no outcome'}`);
  },
});
