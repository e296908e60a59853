import { z } from 'zod';
import { integer } from '#config/settings';

const isAmqp = (text: string): boolean => {
  const uri = URL.parse(text);
  return uri !== null && uri.hostname !== '' && (uri.protocol === 'amqp:' || uri.protocol === 'amqps:');
};

export const MessagingSettings = z.object({
  RABBITMQ_URI: z.string().refine(isAmqp, { error: 'must be amqp://user:password@host:port/vhost, or amqps:' }).meta({
    description: 'RabbitMQ, with user, password and virtual host',
    example: 'amqp://carillon:secret@localhost:5672',
  }),
  RABBITMQ_PREFETCH: integer(1, 65_535).default(1_000).meta({
    description:
      'messages that a queue of deliveries hands to one process before it waits for acknowledgements, and notifications of a lane that it may have claimed at once',
  }),
  RABBITMQ_HANDLER_PREFETCH: integer(1, 65_535)
    .default(200)
    .meta({ description: 'the same for intake, reports and dead letters, and how many of them are handled at once' }),
  RABBITMQ_HEARTBEAT_S: integer(1, 600)
    .default(15)
    .meta({ description: 'seconds between heartbeats; a connection that misses two is given up' }),
  RABBITMQ_CONFIRM_MS: integer(100, 600_000)
    .default(10_000)
    .meta({ description: 'milliseconds until a message that the broker has not confirmed counts as unpublished' }),
  RABBITMQ_DRAIN_MS: integer(0, 600_000)
    .default(20_000)
    .meta({ description: 'milliseconds that work in hand has to finish when the process is told to stop' }),
});
export type MessagingSettings = z.output<typeof MessagingSettings>;
