import type { Channel } from 'amqplib';
import type { MessageOf, MessageType } from '#contracts/messages';
import { MESSAGES } from '#contracts/messages';
import type { Broker, Consuming } from './connection.js';
import { closeQuietly, keepChannel } from './link.js';
import type { Session } from './link.js';
import type { Log } from './log.js';

export interface OwnQueueOptions<T extends MessageType> {
  log: Log;
  type: T;
  binding: { exchange: string; key: string };
  /** Messages that wait for this process, at the most; the oldest give way. Without it, all wait. */
  maxLength?: number;
  onMessage: (message: MessageOf<T>) => void;
  /** Messages may have been missed. Called each time the queue is there, the first time too. */
  onReconnected: () => void;
}

/**
 * What Carillon's processes tell each other, by a queue that only this process has and that goes with its connection.
 * Without acknowledgements: what is lost with the queue is covered by `onReconnected`.
 */
export class OwnQueue<T extends MessageType> implements Consuming {
  readonly inHand = 0;
  private channel: Channel | null = null;
  private stopped = false;

  constructor(private readonly options: OwnQueueOptions<T>) {}

  /** Messages are heard. */
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
    const { binding, maxLength } = this.options;
    const { queue } = await channel.assertQueue('', {
      exclusive: true,
      autoDelete: true,
      durable: false,
      ...(maxLength === undefined ? {} : { maxLength }),
    });
    await channel.bindQueue(queue, binding.exchange, binding.key);
    const deliver = (content: Buffer | undefined): void => {
      if (content === undefined) void closeQuietly(channel);
      else this.hear(content);
    };
    await channel.consume(queue, (message) => deliver(message?.content), { noAck: true, exclusive: true });
    this.channel = channel;
    this.options.onReconnected();
  }

  private hear(content: Buffer): void {
    const { type, onMessage, log } = this.options;
    try {
      onMessage(MESSAGES[type].parse(JSON.parse(content.toString())) as MessageOf<T>);
    } catch (error) {
      log.error({ err: error, type }, 'a message to our own processes was not understood');
    }
  }
}
