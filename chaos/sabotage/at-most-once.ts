import { QUEUE_SPECS } from '#contracts/topology';

/** RabbitMQ's defaults: what expires is passed on without waiting until it is safe where it goes. */
for (const queue of QUEUE_SPECS)
  if (queue.arguments['x-dead-letter-strategy'] !== undefined) {
    queue.arguments['x-dead-letter-strategy'] = 'at-most-once';
    queue.arguments['x-overflow'] = 'drop-head';
  }
