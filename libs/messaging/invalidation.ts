import type { Channel } from 'amqplib';
import { Invalidation } from '#contracts/messages';
import { invalidationBinding } from '#contracts/topology';
import type { Broker, Consuming } from './connection.js';
import { closeQuietly, keepChannel } from './link.js';
import type { Session } from './link.js';
import type { Log } from './log.js';

export interface InvalidationOptions {
  log: Log;
  onInvalidation(invalidation: Invalidation): void;
  /** Messages may have been missed, so caches are to be dropped. Called each time the queue is there, the first time too. */
  onReconnected(): void;
}

/**
 * What Carillon's processes tell each other of what they cache, by a queue that only this process has and that goes
 * with its connection. Without acknowledgements: what is lost with the queue is covered by `onReconnected`.
 */
export class InvalidationListener implements Consuming {
  readonly inHand = 0;
  private channel: Channel | null = null;
  private stopped = false;

  constructor(private readonly options: InvalidationOptions) {}

  /** Changes are heard of. While they are not, what is cached can be stale. */
  get listening(): boolean {
    return this.channel !== null;
  }

  start(broker: Broker): void {
    broker.addConsumer(this);
  }

  attach(session: Session): Promise<void> {
    return keepChannel(session, {
      log: this.options.log,
      stopped: () => this.stopped,
      create: (model) => model.createChannel(),
      setUp: (channel) => this.setUp(channel),
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.channel !== null) await closeQuietly(this.channel);
  }

  finished(): Promise<void> {
    return Promise.resolve();
  }

  private async setUp(channel: Channel): Promise<void> {
    channel.once('close', () => {
      if (this.channel === channel) this.channel = null;
    });
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false });
    await channel.bindQueue(queue, invalidationBinding.exchange, invalidationBinding.key);
    const deliver = (content: Buffer | undefined): void => {
      if (content === undefined) void closeQuietly(channel);
      else this.hear(content);
    };
    await channel.consume(queue, (message) => deliver(message?.content), { noAck: true, exclusive: true });
    this.channel = channel;
    this.options.onReconnected();
  }

  private hear(content: Buffer): void {
    try {
      this.options.onInvalidation(Invalidation.parse(JSON.parse(content.toString())));
    } catch (error) {
      this.options.log.error({ err: error }, 'an invalidation was not understood');
    }
  }
}
