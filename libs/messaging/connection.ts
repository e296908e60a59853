import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import { within } from './backoff.js';
import { declareTopology, TOPOLOGY } from './declare.js';
import type { Topology } from './declare.js';
import { Link } from './link.js';
import type { Attachment } from './link.js';
import type { Log } from './log.js';

/** What takes messages from a queue. */
export interface Consuming extends Attachment {
  /** Takes nothing more; what is in hand goes on. */
  stop(): Promise<void>;
  /** Resolves when nothing is in hand and all acknowledgements are with the broker. */
  finished(): Promise<void>;
  /** Messages handed to a handler that has not ended. */
  readonly inHand: number;
}

export interface Publishing extends Attachment {
  /** Resolves when nothing waits for a confirm. */
  finished(): Promise<void>;
}

export interface BrokerOptions {
  uri: string;
  /** Of the process; RabbitMQ's management shows it with the role of each connection. */
  name: string;
  log: Log;
  heartbeatSeconds?: number;
  topology?: Topology;
}

interface BrokerEvents {
  connected: [];
  disconnected: [];
}

/**
 * RabbitMQ, as one process sees it: a connection for publishing and, once something consumes, another one for that, so
 * that a broker which holds back publishers does not hold back acknowledgements. Both come back by themselves.
 */
export class Broker extends EventEmitter<BrokerEvents> {
  /** Who we are to the broker, and what it lets us write as `user_id`. */
  readonly user: string;
  private readonly publishing: Link;
  private readonly consuming: Link;
  private readonly consumers = new Set<Consuming>();
  private readonly publishers = new Set<Publishing>();
  private declaring: Promise<void> = Promise.resolve();
  private wasConnected = false;
  private started = false;

  constructor(private readonly options: BrokerOptions) {
    super();
    const uri = new URL(options.uri);
    this.user = uri.username === '' ? 'guest' : decodeURIComponent(uri.username);
    this.publishing = this.link(uri, 'publish');
    this.consuming = this.link(uri, 'consume');
  }

  /** Every connection that this process needs is up, declared, and all that lives on it works. */
  get connected(): boolean {
    return this.publishing.ready && (this.consumers.size === 0 || this.consuming.ready);
  }

  /** Publishing makes no sense now: not connected, or the broker is short of memory or disk. */
  get refusesMessages(): boolean {
    return !this.publishing.ready || this.publishing.blocked;
  }

  /** Begins to connect, and returns at once: a broker that is down is waited for, however long it takes. */
  start(): void {
    this.started = true;
    this.publishing.start();
    if (this.consumers.size > 0) this.consuming.start();
  }

  async whenConnected(): Promise<void> {
    while (!this.connected) await new Promise<void>((resolve) => this.once('connected', resolve));
  }

  addPublisher(publisher: Publishing): void {
    this.publishers.add(publisher);
    this.publishing.add(publisher);
  }

  addConsumer(consumer: Consuming): void {
    this.consumers.add(consumer);
    this.consuming.add(consumer);
    if (!this.started) return;
    this.consuming.start();
    this.tell();
  }

  /**
   * Stops consuming, lets what is in hand finish (it may publish), and closes.
   * @param flush called once nothing is in hand any more, to publish what that left behind
   * @returns messages that were still in hand at the deadline; the broker delivers them again
   */
  async drain(
    deadlineMs: number,
    flush: () => Promise<void> = () => Promise.resolve(),
  ): Promise<{ abandoned: number }> {
    const { log } = this.options;
    const endsAt = performance.now() + deadlineMs;
    const left = (): number => Math.max(0, endsAt - performance.now());
    const consumers = [...this.consumers];
    const work = async (): Promise<void> => {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await Promise.all(consumers.map((consumer) => consumer.finished()));
    };
    const finished = await within(left(), work());
    const abandoned = consumers.reduce((sum, consumer) => sum + consumer.inHand, 0);
    if (!finished)
      log.warn({ abandoned, deadlineMs }, 'stopping with messages in hand: RabbitMQ will deliver them again');
    const flushed = flush().catch((error: unknown) => log.error({ err: error }, 'could not publish what was left'));
    await within(left(), flushed);
    await within(left(), Promise.all([...this.publishers].map((publisher) => publisher.finished())));
    await this.close();
    return { abandoned };
  }

  /** Closes at once: what is in hand is delivered again, what is not confirmed counts as unpublished. */
  async close(): Promise<void> {
    await Promise.all([this.publishing.close(), this.consuming.close()]);
  }

  private link(uri: URL, role: string): Link {
    const { log, name } = this.options;
    const link = new Link({
      uri,
      name: `${name} ${role}`,
      heartbeatSeconds: this.options.heartbeatSeconds ?? 15,
      log,
      declare: (model) => this.declare(model),
    });
    link.on('up', () => {
      log.info({ connection: `${name} ${role}`, host: uri.host }, 'connected to RabbitMQ');
      this.tell();
    });
    link.on('down', () => this.tell());
    link.on('blocked', (reason) =>
      log.error({ reason }, 'RabbitMQ takes no messages until it has memory and disk again'),
    );
    link.on('unblocked', () => log.info({}, 'RabbitMQ takes messages again'));
    return link;
  }

  /** One at a time: two declarations of the same new quorum queue get in each other's way. */
  private declare(model: ChannelModel): Promise<void> {
    const mine = this.declaring.then(() => declareTopology(model, this.options.topology ?? TOPOLOGY));
    this.declaring = mine.catch(() => undefined);
    return mine;
  }

  private tell(): void {
    if (this.connected === this.wasConnected) return;
    this.wasConnected = this.connected;
    this.emit(this.connected ? 'connected' : 'disconnected');
  }
}
