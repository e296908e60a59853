import type { Channel, ConsumeMessage } from 'amqplib';
import { Acks } from './acks.js';
import { IncomingMessage } from './incoming.js';
import { closeQuietly, keepChannel } from './link.js';
import type { Session } from './link.js';
import type { Log } from './log.js';

export interface SubscriptionOptions {
  queue: string;
  prefetch: number;
  log: Log;
  onMessage(message: IncomingMessage): void;
}

/** A consumer of one queue on a channel of its own, that comes back after whatever ended it. */
export class Subscription {
  private current: { channel: Channel; acks: Acks; consumerTag: string } | null = null;
  private stopped = false;

  constructor(private readonly options: SubscriptionOptions) {}

  /** The broker delivers to us. */
  get consuming(): boolean {
    return this.current !== null && !this.stopped;
  }

  attach(session: Session): Promise<void> {
    return keepChannel(session, {
      log: this.options.log,
      stopped: () => this.stopped,
      create: (model) => model.createChannel(),
      setUp: (channel) => this.setUp(channel),
    });
  }

  /** No delivery arrives after it has resolved; those that did can still be acknowledged. */
  async stop(): Promise<void> {
    this.stopped = true;
    const { current } = this;
    await current?.channel.cancel(current.consumerTag).catch(() => undefined);
  }

  /** Sends what acknowledgements wait, and closes the channel; what was not acknowledged is delivered again. */
  async close(): Promise<void> {
    const { current } = this;
    if (current === null) return;
    current.acks.flush();
    await closeQuietly(current.channel);
  }

  private async setUp(channel: Channel): Promise<void> {
    const { queue, prefetch, log } = this.options;
    const acks = new Acks(channel);
    channel.once('close', () => {
      if (this.current?.channel === channel) this.current = null;
    });
    await channel.prefetch(prefetch);
    const deliver = (raw: ConsumeMessage | null): void => {
      if (raw !== null) return this.options.onMessage(new IncomingMessage(queue, raw, acks));
      log.warn({ queue }, 'RabbitMQ cancelled our consumer, subscribing again');
      void closeQuietly(channel);
    };
    const { consumerTag } = await channel.consume(queue, deliver, { noAck: false });
    if (acks.open) this.current = { channel, acks, consumerTag };
    if (this.stopped) await this.stop();
  }
}
