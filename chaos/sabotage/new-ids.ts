import { FailoverSender } from '#channels/providers/failover';
import { PushSender } from '#channels/push/sender';
import { WebhookSender } from '#channels/webhook/sender';
import type { ChannelSender } from '#domain/sender';

/** Each attempt has a provider-side id of its own, so that no provider can tell a repetition from a new one. */
for (const sender of [PushSender, FailoverSender, WebhookSender]) {
  const prototype: Pick<ChannelSender, 'send'> = sender.prototype;
  const send = Object.getOwnPropertyDescriptor(prototype, 'send')?.value as ChannelSender['send'];
  prototype.send = function (this: ChannelSender, batch, signal) {
    const renamed = batch.map((request) => ({ ...request, deliveryId: `${request.deliveryId}.${request.attempt}` }));
    return send.call(this, renamed, signal);
  };
}
