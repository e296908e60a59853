import type { Channel, ConsumeMessage } from 'amqplib';
import { EXCHANGES } from '#contracts/topology';

/** Hears what every other service hears, by a queue that lives as long as the connection. @returns its name */
export const hearServices = async (channel: Channel, hear: (message: ConsumeMessage) => void): Promise<string> => {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.services, '');
  await channel.consume(
    queue,
    (message) => {
      if (message !== null) hear(message);
    },
    { noAck: true },
  );
  return queue;
};
