import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];
const SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

/** Of connections to MongoDB. */
export interface PoolFigures {
  open: number;
  inUse: number;
  waiting: number;
}

/** Between looks at the event loop's delay. At prom-client's 10 ms they are a good part of all that an idle process does. */
const EVENT_LOOP_EVERY_MS = 100;

/** Everything that a process of the platform counts. Labels are bounded: channels, lanes, states, outcomes, queues. */
export class Metrics {
  readonly registry = new Registry();

  readonly accepted = this.counter('carillon_accepted_total', 'Notifications accepted', ['channel', 'lane']);
  readonly settled = this.counter('carillon_settled_total', 'Claims settled, by the state that followed', [
    'channel',
    'state',
  ]);
  readonly outcomes = this.counter('carillon_delivery_outcomes_total', 'Attempts of deliveries', [
    'channel',
    'provider',
    'outcome',
  ]);
  readonly deadLetters = this.counter('carillon_dead_letters_total', 'Dead letters stored', ['class']);
  readonly problems = this.counter('carillon_problems_total', 'What went wrong inside and is made good later', [
    'problem',
  ]);
  readonly relayed = this.counter('carillon_relayed_total', 'Handled by a job of the scheduler', ['job']);
  readonly templates = this.counter('carillon_template_cache_total', 'Look-ups of compiled templates', ['result']);
  readonly messages = this.counter('carillon_messages_total', 'Messages handled', ['queue', 'result']);

  readonly providerCalls = this.counter('carillon_provider_calls_total', 'Calls of providers, by what came of them', [
    'channel',
    'provider',
    'outcome',
  ]);
  readonly failovers = this.counter(
    'carillon_failovers_total',
    'Messages that the next provider took over, by what came of the one before; after uncertain they may arrive twice',
    ['channel', 'from', 'to', 'reason'],
  );

  readonly providerHealth = new Gauge({
    name: 'carillon_provider_health',
    help: '1 while a provider is up, 0.5 while it is probed, 0 while it is left alone',
    labelNames: ['channel', 'provider'],
    registers: [this.registry],
  });
  readonly acceptToSent = this.histogram(
    'carillon_accept_to_sent_seconds',
    'From createdAt to sentAt',
    ['channel'],
    SECONDS,
  );
  readonly waited = this.histogram('carillon_queue_age_seconds', 'From due to claimed', ['channel', 'lane'], SECONDS);
  readonly handling = this.histogram('carillon_message_seconds', 'Time to handle a message', ['queue'], SECONDS);
  readonly batches = this.histogram('carillon_batch_size', 'Items written or claimed together', ['batch'], SIZES);

  readonly brokerUp = new Gauge({
    name: 'carillon_broker_connected',
    help: '1 while RabbitMQ is connected',
    registers: [this.registry],
  });

  constructor(app: string) {
    this.registry.setDefaultLabels({ app });
    // Event loop, memory, garbage collection, handles.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: EVENT_LOOP_EVERY_MS });
  }

  /** @param figures looked at when somebody collects */
  watchPool(figures: () => PoolFigures): void {
    this.gauge('carillon_mongodb_pool_connections', 'Open connections to MongoDB', () => figures().open);
    this.gauge('carillon_mongodb_pool_in_use', 'Connections to MongoDB in use', () => figures().inUse);
    this.gauge('carillon_mongodb_pool_waiting', 'Operations that wait for a connection', () => figures().waiting);
  }

  /** @param open looked at when somebody collects */
  watchStreams(open: () => number): void {
    this.gauge('carillon_inbox_streams', 'Open streams of inboxes', open);
  }

  private gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }

  private counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<T extends string>(name: string, help: string, labelNames: T[], buckets: number[]): Histogram<T> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }
}
