import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseSettings } from '#config/settings';
import { SCHEMA_VERSION } from '#contracts/messages';
import { EXCHANGES, ROUTING_KEYS } from '#contracts/topology';
import { Broker } from '#messaging/connection';
import { Publisher } from '#messaging/publisher';
import { MessagingSettings } from '#messaging/settings';
import { createLogger, type Logger, loggingSettings } from '#observability/logging';
import { Metrics } from '#observability/metrics';
import { openTracing, type Tracing, tracingSettings } from '#observability/tracing';
import { OutboxPublisher } from '#outbox/outbox';
import { Databases } from '#persistence/databases';
import { MongoOutboxStore } from '#persistence/notifications/outbox-store';
import { databaseSettings } from '#persistence/settings';

/** What every process of the platform reads from its environment. */
export const baseSettings = z.object({
  ...databaseSettings.shape,
  ...MessagingSettings.shape,
  ...loggingSettings.shape,
  ...tracingSettings.shape,
});
export type BaseSettings = z.output<typeof baseSettings>;

/** What every process of the platform is made of. */
export interface Base {
  name: string;
  version: string;
  log: Logger;
  metrics: Metrics;
  /** Null where nothing is traced. */
  tracing: Tracing | null;
  databases: Databases;
  broker: Broker;
  publisher: Publisher;
  outbox: OutboxPublisher;
  /** Tells every process, this one too, that something cached has changed. */
  invalidate: (cache: string, key: string | null) => void;
  now: () => Date;
}

/** From source and from dist. */
const MANIFEST = new URL(
  import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json',
  import.meta.url,
);

export const VERSION = (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;

/** Settings of an app: its own beside those of every process. @throws InvalidSettings */
export const settingsOf = <T extends z.ZodObject>(
  own: T,
  environment: NodeJS.ProcessEnv,
): z.output<T> & BaseSettings => ({ ...parseSettings(baseSettings, environment), ...parseSettings(own, environment) });

const RANDOM_BYTES = 8;
/** Drawn many at a time: each draw is a call into the system. */
let random = Buffer.alloc(0);
let used = 0;

/** A new id: 24 hex digits whose first eight are the seconds since 1970, as MongoDB's own. */
export const newId = (): string => {
  if (used >= random.length) {
    random = randomBytes(512 * RANDOM_BYTES);
    used = 0;
  }
  const seconds = Math.floor(Date.now() / 1000);
  const own = random.toString('hex', used, used + RANDOM_BYTES);
  used += RANDOM_BYTES;
  return seconds.toString(16).padStart(8, '0') + own;
};

export const createBase = (name: string, settings: BaseSettings): Base => {
  const log = createLogger(name, settings.LOG_LEVEL);
  const metrics = new Metrics(name);
  const databases = new Databases(settings);
  metrics.watchPool(() => databases.pool);
  const broker = new Broker({
    uri: settings.RABBITMQ_URI,
    name,
    log,
    heartbeatSeconds: settings.RABBITMQ_HEARTBEAT_S,
  });
  broker.on('connected', () => metrics.brokerUp.set(1));
  broker.on('disconnected', () => metrics.brokerUp.set(0));
  const publisher = new Publisher(broker, { log, confirmMs: settings.RABBITMQ_CONFIRM_MS });
  const outbox = new OutboxPublisher({
    publisher,
    store: new MongoOutboxStore(databases),
    onProblem: (problem, count) => {
      metrics.problems.inc({ problem: `outbox_${problem}` }, count);
      log.warn({ problem, count }, 'not told to the broker yet: the relay will');
    },
  });
  const invalidate = (cache: string, key: string | null): void => {
    void publisher.publish([
      {
        exchange: EXCHANGES.services,
        routingKey: ROUTING_KEYS.invalidate,
        type: 'carillon.invalidate',
        payload: { schemaVersion: SCHEMA_VERSION, cache, key },
        messageId: newId(),
        mandatory: false,
      },
    ]);
  };
  return {
    name,
    version: VERSION,
    log,
    metrics,
    tracing: null,
    databases,
    broker,
    publisher,
    outbox,
    invalidate,
    now: () => new Date(),
  };
};

/** The same, traced where that is configured. */
export const createTracedBase = async (name: string, settings: BaseSettings): Promise<Base> => {
  const base = createBase(name, settings);
  return { ...base, tracing: await openTracing({ app: name, version: VERSION, settings, log: base.log }) };
};

/** Finishes what is in hand, tells the broker what that left behind, and lets go of the servers. */
export const closeBase = async (base: Base, drainMs: number): Promise<void> => {
  await base.broker.drain(drainMs, () => base.outbox.drained());
  await base.databases.close();
  await base.tracing?.close();
};
