import { fullJitter, pause } from './backoff.js';
import type { Broker, Consuming } from './connection.js';
import { TryAgainLater } from './errors.js';
import type { Refusal } from './errors.js';
import type { IncomingMessage } from './incoming.js';
import type { Session } from './link.js';
import type { Log } from './log.js';
import { Subscription } from './subscription.js';

export interface BatchConsumerOptions {
  queue: string;
  log: Log;
  /** Messages that the broker hands out before it waits for acknowledgements. Default 1,000. */
  prefetch?: number;
  /** Default 500. */
  maxBatch?: number;
  /** Batches in hand at once. Default 2. */
  concurrency?: number;
  /** While another batch is in hand, one that is not full waits this long for company. Default 5 ms. */
  gatherMs?: number;
  /** So long after a batch its place is not given to another one. Default 0. */
  pauseMs?: number;
  /**
   * Handles a batch. When it resolves, all of it that it has not settled itself is acknowledged, or refused where
   * `message.refuse()` was called. When it throws TryAgainLater, what is open stays in hand and is handed over again.
   * When it throws anything else, the messages are handed over one by one to find the culprit, which goes back to the
   * queue after a delay that grows with its delivery count, until `x-delivery-limit` sends it to the dead letters.
   */
  onBatch(messages: IncomingMessage[]): Promise<void>;
  /** Writes a refused message down; it is acknowledged when this resolves, and tried again when it throws. */
  onRefused(message: IncomingMessage, refusal: Refusal): Promise<void>;
}

const HOLD = { baseMs: 500, maxMs: 10_000 };
const PUT_BACK = { baseMs: 500, maxMs: 30_000 };
/** So many failures with no success between them are not the fault of single messages. */
const GIVE_UP_AFTER = 3;

/** Takes messages from one queue in batches: at once when idle, in larger ones the busier it is. */
export class BatchConsumer implements Consuming {
  private readonly subscription: Subscription;
  private readonly stopping = new AbortController();
  private readonly maxBatch: number;
  private readonly concurrency: number;
  private readonly gatherMs: number;
  private arrived: IncomingMessage[] = [];
  private readonly puttingBack = new Set<Promise<void>>();
  private batches = 0;
  private messages = 0;
  private pumpScheduled = false;
  private gathering: NodeJS.Timeout | null = null;
  private idle: (() => void)[] = [];

  constructor(private readonly options: BatchConsumerOptions) {
    this.maxBatch = options.maxBatch ?? 500;
    this.concurrency = options.concurrency ?? 2;
    this.gatherMs = options.gatherMs ?? 5;
    this.subscription = new Subscription({
      queue: options.queue,
      prefetch: options.prefetch ?? 1_000,
      log: options.log,
      onMessage: (message) => this.arrive(message),
    });
  }

  start(broker: Broker): void {
    broker.addConsumer(this);
  }

  get inHand(): number {
    return this.messages;
  }

  /** The broker delivers to us. */
  get consuming(): boolean {
    return this.subscription.consuming;
  }

  attach(session: Session): Promise<void> {
    return this.subscription.attach(session);
  }

  async stop(): Promise<void> {
    await this.subscription.stop();
    this.stopping.abort();
    // Nobody has begun these: another process may have them now.
    for (const message of this.arrived.splice(0)) message.requeue();
  }

  async finished(): Promise<void> {
    if (this.batches > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    await Promise.all(this.puttingBack);
    await this.subscription.close();
  }

  private arrive(message: IncomingMessage): void {
    if (this.stopping.signal.aborted) return message.requeue();
    this.arrived.push(message);
    if (this.pumpScheduled) return;
    this.pumpScheduled = true;
    // After all that came in the same read of the socket.
    setImmediate(() => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.arrived.length > 0 && this.batches < this.concurrency) {
      if (this.batches > 0 && this.arrived.length < this.maxBatch && this.gatherMs > 0) {
        this.gathering ??= setTimeout(() => {
          this.begin();
          this.pump();
        }, this.gatherMs);
        return;
      }
      this.begin();
    }
  }

  private begin(): void {
    if (this.gathering !== null) clearTimeout(this.gathering);
    this.gathering = null;
    if (this.batches >= this.concurrency) return;
    const batch = this.arrived.splice(0, this.maxBatch).filter((message) => message.open);
    if (batch.length === 0) return;
    this.batches++;
    this.messages += batch.length;
    const { pauseMs = 0 } = this.options;
    const worked = this.work(batch).finally(() => (this.messages -= batch.length));
    void (pauseMs === 0 ? worked : worked.then(() => pause(pauseMs, this.stopping.signal))).finally(() => {
      this.batches--;
      this.pump();
      if (this.batches === 0) for (const resolve of this.idle.splice(0)) resolve();
    });
  }

  /** Never rejects. */
  private async work(batch: IncomingMessage[]): Promise<void> {
    let failed = await this.handle(batch);
    if (failed.length > 1) failed = await this.findCulprits(failed);
    if (failed.length > 0) this.putBackLater(failed);
  }

  /** @returns what is open after the handler has thrown */
  private async handle(batch: IncomingMessage[]): Promise<IncomingMessage[]> {
    const { log, queue } = this.options;
    for (let attempt = 0; ; attempt++) {
      const open = batch.filter((message) => message.open);
      if (open.length === 0) return [];
      // Reading the payload of what is not JSON refuses it.
      const readable = open.filter((message) => message.payload !== undefined && message.refusal === null);
      try {
        if (readable.length > 0) await this.options.onBatch(readable);
        await this.settle(open);
        return [];
      } catch (error) {
        const left = open.filter((message) => message.open);
        if (!(error instanceof TryAgainLater)) {
          log.error(
            { err: error, queue, messages: left.length, messageId: left[0]?.messageId },
            'a handler of messages failed',
          );
          return left;
        }
        const retryInMs = fullJitter(attempt, HOLD);
        log.warn(
          { queue, messages: left.length, retryInMs, reason: error.message },
          'messages wait for what they need',
        );
        await pause(retryInMs, this.stopping.signal);
        if (this.stopping.signal.aborted) return left;
      }
    }
  }

  private async settle(messages: IncomingMessage[]): Promise<void> {
    const refused: IncomingMessage[] = [];
    for (const message of messages) {
      if (!message.open) continue;
      if (message.refusal === null) message.ack();
      else refused.push(message);
    }
    await Promise.all(
      refused.map(async (message) => {
        if (message.refusal !== null) await this.options.onRefused(message, message.refusal);
        message.ack();
      }),
    );
  }

  private async findCulprits(suspects: IncomingMessage[]): Promise<IncomingMessage[]> {
    const culprits: IncomingMessage[] = [];
    for (const [index, suspect] of suspects.entries()) {
      culprits.push(...(await this.handle([suspect])));
      const acquitted = index + 1 - culprits.length;
      if (this.stopping.signal.aborted || (culprits.length >= GIVE_UP_AFTER && acquitted === 0)) {
        return [...culprits, ...suspects.slice(index + 1)];
      }
    }
    return culprits;
  }

  /** They keep their places in the prefetch meanwhile, and none among the batches. */
  private putBackLater(messages: IncomingMessage[]): void {
    const count = Math.max(...messages.map((message) => message.deliveryCount));
    const delayMs = PUT_BACK.baseMs / 2 + fullJitter(count, PUT_BACK);
    const done = pause(delayMs, this.stopping.signal).then(() => {
      for (const message of messages) message.requeue();
      this.puttingBack.delete(done);
    });
    this.puttingBack.add(done);
  }
}
