import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { deliverKey, EXCHANGE_SPECS, EXCHANGES } from '#contracts/topology';
import type { Lane } from '#contracts/vocabulary';
import { Broker } from '#messaging/connection';
import type { BrokerOptions } from '#messaging/connection';
import { BatchConsumer } from '#messaging/consumer';
import type { BatchConsumerOptions } from '#messaging/consumer';
import type { IncomingMessage } from '#messaging/incoming';
import type { Log } from '#messaging/log';
import { Publisher } from '#messaging/publisher';
import type { OutgoingMessage, PublisherOptions } from '#messaging/publisher';

/** Keeps what was logged, and tells when a line comes. */
export class RecordingLog implements Log {
  readonly lines: { level: string; fields: object; message: string }[] = [];
  private waiting: { part: string; resolve: () => void }[] = [];

  readonly debug = (fields: object, message: string): void => this.note('debug', fields, message);
  readonly info = (fields: object, message: string): void => this.note('info', fields, message);
  readonly warn = (fields: object, message: string): void => this.note('warn', fields, message);
  readonly error = (fields: object, message: string): void => this.note('error', fields, message);

  /** Resolves at the next line that has `part` in its message. */
  next(part: string): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ part, resolve }));
  }

  private note(level: string, fields: object, message: string): void {
    this.lines.push({ level, fields, message });
    const told = this.waiting.filter(({ part }) => message.includes(part));
    this.waiting = this.waiting.filter((one) => !told.includes(one));
    for (const { resolve } of told) resolve();
  }
}

/** Collects what arrives, and lets a test wait for it. */
export class Inbox<T = IncomingMessage> {
  readonly items: T[] = [];
  private waiting: { count: number; resolve: (items: T[]) => void }[] = [];

  add(...items: T[]): void {
    this.items.push(...items);
    const done = this.waiting.filter(({ count }) => this.items.length >= count);
    this.waiting = this.waiting.filter((one) => !done.includes(one));
    for (const { count, resolve } of done) resolve(this.items.slice(0, count));
  }

  /** The first `count` items, once there are so many. */
  first(count: number): Promise<T[]> {
    if (this.items.length >= count) return Promise.resolve(this.items.slice(0, count));
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }

  /** The item at `index`, once it is there. */
  async at(index: number): Promise<T> {
    const item = (await this.first(index + 1))[index];
    if (item === undefined) throw new Error(`nothing at ${index}`);
    return item;
  }
}

/** Looks again at each turn of the event loop, for what gives no signal. */
export const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await turn();
};

export interface TestBroker {
  broker: Broker;
  publisher: Publisher;
  log: RecordingLog;
}

const opened = new Set<Broker>();

/** For `afterEach` or `afterAll`: a broker that a failed test leaves open would keep the test run from ending. */
export const closeBrokers = async (): Promise<void> => {
  await Promise.all([...opened].map((broker) => broker.close()));
  opened.clear();
};

/** A started broker with a publisher. `closeBrokers` closes what the test itself does not. */
export const startBroker = (
  uri: string,
  options: Partial<BrokerOptions> & { publisher?: Partial<PublisherOptions> } = {},
): TestBroker => {
  const log = new RecordingLog();
  const broker = new Broker({ uri, name: 'test', log, ...options });
  const publisher = new Publisher(broker, { log, ...options.publisher });
  opened.add(broker);
  broker.start();
  return { broker, publisher, log };
};

/** A message of the kind that wakes a dispatcher. `attempt` can number them. */
export const wake = (lane: Lane, attempt = 1, change: Partial<OutgoingMessage> = {}): OutgoingMessage =>
  ({
    exchange: EXCHANGES.api,
    routingKey: deliverKey('push', lane),
    type: 'notification.deliver',
    messageId: randomUUID(),
    mandatory: true,
    payload: {
      schemaVersion: 1,
      notificationId: '66f1c0de9a1b2c3d4e5f6071',
      serviceName: 'test',
      attempt,
      alone: false,
    },
    ...change,
  }) as OutgoingMessage;

/** A queue of its own, and a consumer of it on connections of its own. */
export interface TestConsumer extends TestBroker {
  queue: string;
  consumer: BatchConsumer;
  /** Wakes, told apart by their attempts; resolves when they are confirmed. */
  publish: (...attempts: number[]) => Promise<void>;
}

/**
 * @param from publishes
 * @param uri of the consumer
 */
export const startConsumer = async (
  from: TestBroker,
  uri: string,
  options: Partial<BatchConsumerOptions>,
): Promise<TestConsumer> => {
  const queue = `test.${randomUUID()}`;
  const topology = {
    exchanges: EXCHANGE_SPECS.filter((spec) => spec.name === EXCHANGES.api),
    queues: [{ name: queue, arguments: { 'x-queue-type': 'quorum' } }],
    bindings: [{ source: EXCHANGES.api, destination: queue, destinationType: 'queue' as const, key: queue }],
  };
  const own = startBroker(uri, { topology });
  const consumer = new BatchConsumer({
    queue,
    log: own.log,
    onBatch: () => Promise.resolve(),
    onRefused: () => Promise.resolve(),
    ...options,
  });
  consumer.start(own.broker);
  await own.broker.whenConnected();
  return {
    ...own,
    queue,
    consumer,
    publish: async (...attempts) => {
      const messages = attempts.map((attempt) => wake('normal', attempt, { routingKey: queue }));
      const results = await from.publisher.publish(messages);
      if (results.some((result) => result !== 'confirmed')) throw new Error(`not confirmed: ${results.join()}`);
    },
  };
};

export const attemptOf = (message: IncomingMessage): number => (message.payload as { attempt: number }).attempt;
