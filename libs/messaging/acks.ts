import type { Channel, ConsumeMessage } from 'amqplib';

/**
 * Acknowledgements of one channel. Those of one turn of the event loop go out together: one frame for all up to the
 * first message that is still open, one each for the others. Once the channel is gone everything here does nothing, and
 * the broker delivers again what was open.
 */
export class Acks {
  /** The lowest delivery tag that is still open; tags count up from 1. */
  private lowest = 1;
  private readonly settledAbove = new Set<number>();
  private waiting: ConsumeMessage[] = [];
  private scheduled = false;
  private isOpen = true;

  constructor(private readonly channel: Channel) {
    channel.once('close', () => this.abandon());
  }

  get open(): boolean {
    return this.isOpen;
  }

  abandon(): void {
    this.isOpen = false;
    this.waiting = [];
  }

  ack(message: ConsumeMessage): void {
    if (!this.isOpen) return;
    this.waiting.push(message);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** The broker delivers it again, and counts that. */
  requeue(message: ConsumeMessage): void {
    if (!this.isOpen) return;
    this.settledAbove.add(message.fields.deliveryTag);
    this.send(() => this.channel.nack(message, false, true));
  }

  flush(): void {
    if (this.waiting.length === 0) return;
    const batch = this.waiting;
    this.waiting = [];
    for (const message of batch) this.settledAbove.add(message.fields.deliveryTag);
    while (this.settledAbove.delete(this.lowest)) this.lowest++;

    // The last of those below the first open one; its frame settles all of them, and it must itself be unsettled.
    let last: ConsumeMessage | undefined;
    for (const message of batch) {
      const { deliveryTag } = message.fields;
      if (deliveryTag < this.lowest && deliveryTag > (last?.fields.deliveryTag ?? 0)) last = message;
    }
    this.send(() => {
      if (last !== undefined) this.channel.ack(last, true);
      for (const message of batch) if (message.fields.deliveryTag > this.lowest) this.channel.ack(message, false);
    });
  }

  /** A channel that is closing throws before it says so. */
  private send(frames: () => void): void {
    if (!this.isOpen) return;
    try {
      frames();
    } catch {
      this.abandon();
    }
  }
}
