import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { QUEUE_SPECS } from '#contracts/topology';
import type { Broker } from './connection.js';
import { BatchConsumer } from './consumer.js';
import { AmqpContext } from './context.js';
import { RefuseMessage } from './errors.js';
import type { IncomingMessage } from './incoming.js';
import type { Log } from './log.js';
import type { Refusals } from './refusals.js';

export interface AmqpStrategyOptions {
  broker: Broker;
  refusals: Refusals;
  log: Log;
  /** The queues that this process consumes, and how many messages of each it handles at once. */
  queues: Readonly<Record<string, { prefetch: number }>>;
}

/** Handlers and queues do not match: start-up must fail. */
export class HandlerMismatch extends Error {
  override readonly name = 'HandlerMismatch';
  constructor(readonly problems: readonly string[]) {
    super(`Handlers and queues do not match:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/**
 * Nest's handlers on our queues: `@EventPattern(QUEUES.intakeSend)` names a queue, `@Payload()` is the bare JSON body,
 * `@Ctx()` an AmqpContext. A handler that ends well has its message acknowledged; RefuseMessage sends it to the dead
 * letters; TryAgainLater keeps it in hand; any other error that the filters leave puts it back after a delay. A filter
 * that takes care of an error returns an observable that completes (`EMPTY`).
 */
export class AmqpStrategy extends Server implements CustomTransportStrategy {
  /** A failure is ours to deal with, so that Nest does not report it as lost. */
  override readonly propagatesEventHandlerErrors = true;
  override readonly transportId = Symbol.for('carillon.amqp');
  private readonly registered = new Map<string, number>();
  private consumers: BatchConsumer[] = [];

  constructor(private readonly options: AmqpStrategyOptions) {
    super();
  }

  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEvent?: boolean,
    extras?: Record<string, unknown>,
  ): void {
    const queue = this.normalizePattern(pattern as string);
    this.registered.set(queue, (this.registered.get(queue) ?? 0) + 1);
    super.addHandler(pattern, callback, isEvent, extras);
  }

  listen(callback: (error?: Error) => void): void {
    const problems = this.findMismatches();
    if (problems.length > 0) return callback(new HandlerMismatch(problems));
    const { broker, log, queues, refusals } = this.options;
    this.consumers = Object.entries(queues).map(
      ([queue, { prefetch }]) =>
        new BatchConsumer({
          queue,
          log,
          prefetch,
          concurrency: prefetch,
          maxBatch: 1,
          gatherMs: 0,
          onBatch: async (messages) => {
            for (const message of messages) await this.dispatch(message);
          },
          onRefused: (message, refusal) => refusals.write(message, refusal),
        }),
    );
    for (const consumer of this.consumers) consumer.start(broker);
    callback();
  }

  /** Takes nothing more. Who owns the broker drains it, with the deadline. */
  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
  }

  on(): never {
    throw new Error('this transport has no events of its own: the Broker has');
  }

  unwrap<T>(): T {
    return this.options.broker as T;
  }

  private findMismatches(): string[] {
    const known = new Set(QUEUE_SPECS.map((spec) => spec.name));
    const { queues } = this.options;
    const problems: string[] = [];
    for (const queue of Object.keys(queues)) {
      const count = this.registered.get(queue) ?? 0;
      if (!known.has(queue)) problems.push(`${queue} is to be consumed, and is not in the topology`);
      if (count === 0) problems.push(`${queue} has no handler`);
      if (count > 1) problems.push(`${queue} has ${count} handlers, and must have one`);
    }
    for (const queue of this.registered.keys()) {
      if (!known.has(queue)) problems.push(`a handler names ${queue}, which is no queue of the topology`);
      else if (!(queue in queues)) problems.push(`a handler names ${queue}, which this process does not consume`);
    }
    return problems;
  }

  private async dispatch(message: IncomingMessage): Promise<void> {
    const handler = this.messageHandlers.get(message.queue);
    if (handler === undefined) throw new Error(`no handler of ${message.queue}`);
    const context = new AmqpContext(message);
    try {
      await new Promise<void>((resolve, reject) => {
        this.runWithProcessingHooks(context, async (ended) => {
          try {
            const result: unknown = await handler(message.payload, context);
            await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
            resolve();
          } catch (error) {
            reject(toError(error));
          } finally {
            ended();
          }
        });
      });
    } catch (error) {
      if (!(error instanceof RefuseMessage)) throw error;
      message.refuse(error.refusal);
    }
  }
}

/** Nest's last filter logs an unknown error itself, and passes on a plain object in its place. */
const toError = (thrown: unknown): Error => {
  if (thrown instanceof Error) return thrown;
  const said = typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : thrown;
  return new Error(String(said));
};
