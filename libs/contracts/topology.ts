import type { Channel, Lane } from './vocabulary.js';
import { CHANNELS, LANES } from './vocabulary.js';

/**
 * Every exchange, queue and binding, with its arguments. Names and arguments are frozen once released: RabbitMQ answers
 * 406 to a queue declared again with other arguments, so a change means a new queue and a documented drain.
 */

export const EXCHANGES = {
  /** Topic. Intake (`notification.send`, `notification.bulk`), deliveries and what comes back from waiting. */
  api: 'notification-api',
  /** Fanout, public: statuses to every other service, reports from them. */
  services: 'services',
  /** Direct, ours: sorts what passes `services`, so that our own statuses never reach our own queues. */
  servicesByKey: 'services.by-key',
  /** Fanout, ours: what `services.by-key` has no other place for, that is, what others sent. */
  servicesReports: 'services.reports',
  /** Fanout, ours, with nothing bound: where our own statuses end. */
  servicesOwn: 'services.own',
  /** Topic: the wait queues. */
  retry: 'notification-retry',
  /** Topic: dead letters. */
  dead: 'notification-dead',
} as const;

export const QUEUES = {
  intakeSend: 'notifications.intake.send',
  intakeBulk: 'notifications.intake.bulk',
  reports: 'notifications.reports',
  failed: 'notifications.failed',
} as const;

export const ROUTING_KEYS = {
  send: 'notification.send',
  bulk: 'notification.bulk',
  /** Carillon's own statuses on `services`; other services may use any other key. */
  status: 'notification.status',
  /** Carillon to its own processes, on `services`: something cached has changed. */
  invalidate: 'carillon.invalidate',
  /** Carillon to its own gateways, on `services`: something changed in somebody's inbox. */
  inbox: 'carillon.inbox',
  /** A notification that settled to failed. */
  failed: 'failed',
  /** A message that its queue gave up: refused by schema, or delivered too often. */
  refused: 'refused',
} as const;

/** Seconds of each rung of the wait ladder. Each has three queues, which last 1.0, 1.1 and 1.2 times as long: the jitter. */
export const WAIT_RUNGS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600] as const;
export type WaitRung = (typeof WAIT_RUNGS)[number];
export const WAIT_VARIANTS = [1, 2, 3] as const;
export type WaitVariant = (typeof WAIT_VARIANTS)[number];

/** Milliseconds that a message spends in the wait queue of a rung and variant. */
export const waitMs = (rung: WaitRung, variant: WaitVariant): number => rung * (900 + 100 * variant);

export const deliverQueue = (channel: Channel, lane: Lane): string => `notifications.deliver.${channel}.${lane}`;
export const deliverKey = (channel: Channel, lane: Lane): string => `notification.deliver.${channel}.${lane}`;
export const waitQueue = (rung: WaitRung, variant: WaitVariant): string => `notifications.wait.${rung}.${variant}`;
export const waitKey = (rung: WaitRung, variant: WaitVariant, channel: Channel, lane: Lane): string =>
  `wait.${rung}.${variant}.${channel}.${lane}`;

export interface ExchangeSpec {
  name: string;
  type: 'topic' | 'direct' | 'fanout';
  alternateExchange?: string;
  internal?: boolean;
}

export interface QueueSpec {
  name: string;
  arguments: Record<string, string | number>;
}

export interface BindingSpec {
  source: string;
  destination: string;
  destinationType: 'queue' | 'exchange';
  key: string;
}

/** Attempts of the broker to deliver one message before it goes to the dead letters; claims in MongoDB guard the rest. */
const DELIVERY_LIMIT = 20;

/**
 * Dead-lettering at-most-once (RabbitMQ's default) loses messages when the broker is killed while they expire;
 * at-least-once needs reject-publish. https://www.rabbitmq.com/docs/quorum-queues#dead-lettering
 */
const deadLettering = {
  'x-queue-type': 'quorum',
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
} as const;

const workQueue = (name: string): QueueSpec => ({
  name,
  arguments: {
    ...deadLettering,
    'x-dead-letter-exchange': EXCHANGES.dead,
    'x-dead-letter-routing-key': ROUTING_KEYS.refused,
    'x-delivery-limit': DELIVERY_LIMIT,
  },
});

export const EXCHANGE_SPECS: readonly ExchangeSpec[] = [
  { name: EXCHANGES.api, type: 'topic' },
  { name: EXCHANGES.services, type: 'fanout' },
  { name: EXCHANGES.servicesReports, type: 'fanout', internal: true },
  { name: EXCHANGES.servicesOwn, type: 'fanout', internal: true },
  {
    name: EXCHANGES.servicesByKey,
    type: 'direct',
    internal: true,
    alternateExchange: EXCHANGES.servicesReports,
  },
  { name: EXCHANGES.retry, type: 'topic' },
  { name: EXCHANGES.dead, type: 'topic' },
];

export const QUEUE_SPECS: readonly QueueSpec[] = [
  workQueue(QUEUES.intakeSend),
  workQueue(QUEUES.intakeBulk),
  workQueue(QUEUES.reports),
  // The end of the line: what fails here is put back, never dropped. RabbitMQ 4 limits deliveries unless told otherwise.
  { name: QUEUES.failed, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 } },
  ...CHANNELS.flatMap((channel) => LANES.map((lane) => workQueue(deliverQueue(channel, lane)))),
  ...WAIT_RUNGS.flatMap((rung) =>
    WAIT_VARIANTS.map((variant) => ({
      name: waitQueue(rung, variant),
      arguments: {
        ...deadLettering,
        'x-message-ttl': waitMs(rung, variant),
        // No routing key of its own: the message keeps the key that names its channel and lane.
        'x-dead-letter-exchange': EXCHANGES.api,
      },
    })),
  ),
];

const toQueue = (source: string, destination: string, key: string): BindingSpec => ({
  source,
  destination,
  destinationType: 'queue',
  key,
});
const toExchange = (source: string, destination: string, key: string): BindingSpec => ({
  source,
  destination,
  destinationType: 'exchange',
  key,
});

export const BINDING_SPECS: readonly BindingSpec[] = [
  toQueue(EXCHANGES.api, QUEUES.intakeSend, ROUTING_KEYS.send),
  toQueue(EXCHANGES.api, QUEUES.intakeBulk, ROUTING_KEYS.bulk),
  toQueue(EXCHANGES.dead, QUEUES.failed, '#'),
  toExchange(EXCHANGES.services, EXCHANGES.servicesByKey, ''),
  toExchange(EXCHANGES.servicesByKey, EXCHANGES.servicesOwn, ROUTING_KEYS.status),
  toExchange(EXCHANGES.servicesByKey, EXCHANGES.servicesOwn, ROUTING_KEYS.invalidate),
  toExchange(EXCHANGES.servicesByKey, EXCHANGES.servicesOwn, ROUTING_KEYS.inbox),
  toQueue(EXCHANGES.servicesReports, QUEUES.reports, ''),
  ...CHANNELS.flatMap((channel) =>
    LANES.flatMap((lane) => [
      toQueue(EXCHANGES.api, deliverQueue(channel, lane), deliverKey(channel, lane)),
      toQueue(EXCHANGES.api, deliverQueue(channel, lane), `wait.*.*.${channel}.${lane}`),
    ]),
  ),
  ...WAIT_RUNGS.flatMap((rung) =>
    WAIT_VARIANTS.map((variant) => toQueue(EXCHANGES.retry, waitQueue(rung, variant), `wait.${rung}.${variant}.#`)),
  ),
];

/** What a process binds its own exclusive queue to, so that it hears of changes to what it caches. */
export const invalidationBinding = { exchange: EXCHANGES.servicesByKey, key: ROUTING_KEYS.invalidate } as const;

/** The same for what changed in inboxes. */
export const inboxBinding = { exchange: EXCHANGES.servicesByKey, key: ROUTING_KEYS.inbox } as const;
