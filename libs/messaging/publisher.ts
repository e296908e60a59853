import type { Duplex } from 'node:stream';
import type { ConfirmChannel, Message, Options } from 'amqplib';
import type { MessageOf, MessageType } from '#contracts/messages';
import type { Broker, Publishing } from './connection.js';
import { keepChannel, socketOf } from './link.js';
import type { Session } from './link.js';
import type { Log } from './log.js';

interface Envelope<T extends MessageType> {
  exchange: string;
  routingKey: string;
  type: T;
  payload: MessageOf<T>;
  messageId: string;
  correlationId?: string | null;
  traceparent?: string | null;
  /** Ask to hear of it when no queue takes the message. */
  mandatory: boolean;
  headers?: Record<string, string | number | boolean>;
}
export type OutgoingMessage = { [T in MessageType]: Envelope<T> }[MessageType];

/**
 * - `confirmed`: every queue that it was routed to has it on disk
 * - `returned`: mandatory, and no queue takes it
 * - `nacked`: the broker, or the encoding, refused it
 * - `unavailable`: not sent, or it is unknown whether it arrived: no connection, too much waiting already, or no confirm in time
 */
export type PublishResult = 'confirmed' | 'returned' | 'nacked' | 'unavailable';

export interface PublisherOptions {
  log: Log;
  /** Default 10 s. */
  confirmMs?: number;
  /** Messages that may wait for their confirm; more are `unavailable`. A batch larger than this goes only when nothing else waits. Default 50,000. */
  maxWaiting?: number;
}

interface Batch {
  messages: readonly OutgoingMessage[];
  results: (PublishResult | undefined)[];
  /** Index of the first that is not written yet. */
  next: number;
  open: number;
  timer: NodeJS.Timeout;
  resolve(results: PublishResult[]): void;
}

const PERSISTENT = 2;

/** Identical messages share their fate, so that the properties that come back with a return are enough. */
const identity = (exchange: string, routingKey: string, messageId: unknown): string =>
  JSON.stringify([exchange, routingKey, messageId]);

/** Publishes in batches, and tells of each message what became of it. Never rejects. */
export class Publisher implements Publishing {
  private channel: ConfirmChannel | null = null;
  private socket: Duplex | null = null;
  private readonly unwritten: Batch[] = [];
  private readonly returned = new Map<string, number>();
  private waiting = 0;
  private full = false;
  private quiet: (() => void)[] = [];

  constructor(
    private readonly broker: Broker,
    private readonly options: PublisherOptions,
  ) {
    broker.addPublisher(this);
  }

  /** @returns one result per message, in their order */
  publish(messages: readonly OutgoingMessage[]): Promise<PublishResult[]> {
    const { length } = messages;
    if (length === 0) return Promise.resolve([]);
    const tooMany = this.waiting > 0 && this.waiting + length > (this.options.maxWaiting ?? 50_000);
    if (this.channel === null || this.broker.refusesMessages || tooMany) {
      return Promise.resolve(messages.map(() => 'unavailable'));
    }
    return new Promise((resolve) => {
      const batch: Batch = {
        messages,
        results: new Array<PublishResult | undefined>(length),
        next: 0,
        open: length,
        resolve,
        timer: setTimeout(() => this.expire(batch), this.options.confirmMs ?? 10_000),
      };
      this.waiting += length;
      this.unwritten.push(batch);
      this.write();
    });
  }

  attach(session: Session): Promise<void> {
    return keepChannel(session, {
      log: this.options.log,
      stopped: () => false,
      create: (model) => model.createConfirmChannel(),
      setUp: (channel) => {
        channel.on('return', (message) => this.noteReturn(message));
        channel.on('drain', () => {
          this.full = false;
          this.write();
        });
        // Before amqplib's own listener, which ends what waits for its confirm in the same way as a nack.
        channel.prependListener('close', () => this.lose(channel));
        this.full = false;
        this.channel = channel;
        this.socket = socketOf(session.model);
        return Promise.resolve();
      },
    });
  }

  async finished(): Promise<void> {
    if (this.waiting > 0) await new Promise<void>((resolve) => this.quiet.push(resolve));
  }

  private write(): void {
    this.cork();
    for (let batch = this.unwritten[0]; batch !== undefined && !this.full; batch = this.unwritten[0]) {
      while (batch.next < batch.messages.length && !this.full) this.send(batch, batch.next++);
      if (batch.next >= batch.messages.length) this.unwritten.shift();
    }
  }

  /**
   * amqplib writes each frame to the socket by itself: a system call each, a sixth of the time of a busy gateway. It
   * does so in a later turn, after which all go out as one.
   */
  private cork(): void {
    const { socket } = this;
    if (socket === null) return;
    socket.cork();
    setImmediate(() => setImmediate(() => socket.uncork()));
  }

  private send(batch: Batch, index: number): void {
    const { channel } = this;
    const message = batch.messages[index];
    if (message === undefined) return;
    if (channel === null) return this.settle(batch, index, 'unavailable');
    try {
      const content = Buffer.from(JSON.stringify(message.payload));
      const onConfirm = (error: unknown): void => this.settle(batch, index, this.outcome(channel, message, error));
      this.full = !channel.publish(message.exchange, message.routingKey, content, this.properties(message), onConfirm);
    } catch (error) {
      // A channel that is closing throws, and so does what cannot be encoded, such as an id of over 255 bytes.
      const closing = error instanceof Error && error.name === 'IllegalOperationError';
      if (!closing) this.options.log.error({ err: error, type: message.type }, 'a message cannot be encoded');
      this.settle(batch, index, closing ? 'unavailable' : 'nacked');
    }
  }

  private properties(message: OutgoingMessage): Options.Publish {
    const headers = message.headers === undefined ? {} : { ...message.headers };
    if (message.traceparent != null) headers['traceparent'] = message.traceparent;
    const properties: Options.Publish = {
      contentType: 'application/json',
      deliveryMode: PERSISTENT,
      type: message.type,
      messageId: message.messageId,
      timestamp: Math.floor(Date.now() / 1_000),
      userId: this.broker.user,
      mandatory: message.mandatory,
      headers,
    };
    if (message.correlationId != null) properties.correlationId = message.correlationId;
    return properties;
  }

  private outcome(channel: ConfirmChannel, message: OutgoingMessage, error: unknown): PublishResult {
    if (this.channel !== channel) return 'unavailable';
    if (error != null) return 'nacked';
    return message.mandatory && this.returned.size > 0 && this.takeReturn(message) ? 'returned' : 'confirmed';
  }

  /** The broker returns a message before it confirms it. */
  private noteReturn({ fields, properties }: Message): void {
    const key = identity(fields.exchange, fields.routingKey, properties.messageId);
    this.returned.set(key, (this.returned.get(key) ?? 0) + 1);
    this.options.log.error({ exchange: fields.exchange, routingKey: fields.routingKey }, 'no queue takes a message');
  }

  private takeReturn(message: OutgoingMessage): boolean {
    const key = identity(message.exchange, message.routingKey, message.messageId);
    const count = this.returned.get(key);
    if (count === undefined) return false;
    if (count > 1) this.returned.set(key, count - 1);
    else this.returned.delete(key);
    return true;
  }

  private settle(batch: Batch, index: number, result: PublishResult): void {
    this.release(1);
    // After the deadline a late confirm only makes room.
    if (batch.results[index] === undefined) {
      batch.results[index] = result;
      batch.open--;
      if (batch.open === 0) this.conclude(batch);
    }
  }

  private release(count: number): void {
    this.waiting -= count;
    if (this.waiting === 0) for (const resolve of this.quiet.splice(0)) resolve();
  }

  private expire(batch: Batch): void {
    for (const index of batch.results.keys()) batch.results[index] ??= 'unavailable';
    batch.open = 0;
    const unwritten = this.unwritten.indexOf(batch);
    if (unwritten >= 0) this.unwritten.splice(unwritten, 1);
    this.release(batch.messages.length - batch.next);
    this.conclude(batch);
  }

  private conclude(batch: Batch): void {
    clearTimeout(batch.timer);
    batch.resolve(batch.results as PublishResult[]);
  }

  private lose(channel: ConfirmChannel): void {
    if (this.channel !== channel) return;
    this.channel = null;
    this.socket = null;
    this.full = false;
    this.returned.clear();
    this.write();
  }
}
