import { type ChannelModel, connect, type ConfirmChannel } from 'amqplib';
import { required } from './environment.js';

export const FLOOR_EXCHANGE = 'floor';
export const FLOOR_QUEUE = 'floor.deliver';

/** A quorum queue like the product's own, and an exchange for statuses. */
export const openBroker = async (): Promise<{ model: ChannelModel; channel: ConfirmChannel }> => {
  const model = await connect(required('FLOOR_VHOST_URI'));
  const channel = await model.createConfirmChannel();
  await channel.assertExchange(FLOOR_EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue(FLOOR_QUEUE, {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish' },
  });
  return { model, channel };
};

/** Resolves when the broker has confirmed all of them. */
export const publishAll = (
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  payloads: readonly object[],
): Promise<unknown> =>
  Promise.all(
    payloads.map(
      (payload) =>
        new Promise<void>((resolve, reject) => {
          channel.publish(
            exchange,
            routingKey,
            Buffer.from(JSON.stringify(payload)),
            { persistent: true, contentType: 'application/json' },
            (error: unknown) => (error == null ? resolve() : reject(new Error('the broker refused a message'))),
          );
        }),
    ),
  );
