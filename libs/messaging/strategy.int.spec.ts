import 'reflect-metadata';
import type {
  ArgumentsHost,
  CallHandler,
  ExecutionContext,
  ExceptionFilter,
  INestMicroservice,
  NestInterceptor,
  PipeTransform,
} from '@nestjs/common';
import { Catch, Controller, Module, UseFilters, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import type { ChannelModel } from 'amqplib';
import { EMPTY, tap, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { RefusedMessage } from '#contracts/messages';
import { EXCHANGES, QUEUES, ROUTING_KEYS } from '#contracts/topology';
import { Inbox, startBroker } from '#testing/messaging';
import type { TestBroker } from '#testing/messaging';
import { createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';
import { AmqpContext } from './context.js';
import { RefuseMessage, TryAgainLater } from './errors.js';
import type { IncomingMessage } from './incoming.js';
import { Refusals } from './refusals.js';
import { AmqpStrategy } from './strategy.js';

interface Seen {
  payload: unknown;
  message: IncomingMessage;
}

const seen = new Inbox<Seen>();
const dead = new Inbox<Seen>();
const observed = new Inbox<string>();

class Rejected extends Error {}
class Harmless extends Error {}

const observe: NestInterceptor = {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { queue } = context.switchToRpc().getContext<AmqpContext>().message;
    return next
      .handle()
      .pipe(tap({ complete: () => observed.add(queue), error: () => observed.add(`${queue} failed`) }));
  },
};

const upperCase: PipeTransform = {
  transform: (value: { name?: string }) => ({ ...value, name: value.name?.toUpperCase() }),
};

@Catch(Rejected, Harmless)
class DomainFilter implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): Observable<never> {
    expect(host.getType()).toBe('rpc');
    if (error instanceof Harmless) return EMPTY;
    const errors = [{ in: 'body', field: '/name', code: 'too_bad', message: 'must be better' }];
    return throwError(() => new RefuseMessage({ code: 'validation_failed', errors }));
  }
}

@Controller()
@UseInterceptors(observe)
@UseFilters(new DomainFilter())
class Handlers {
  @EventPattern<string>(QUEUES.intakeSend)
  send(@Payload(upperCase) payload: { name: string }, @Ctx() { message }: AmqpContext): void {
    seen.add({ payload, message });
    const nth = seen.items.length;
    if (payload.name === 'REJECTED') throw new Rejected();
    if (payload.name === 'HARMLESS') throw new Harmless();
    if (payload.name === 'REFUSED') throw new RefuseMessage({ code: 'forbidden', errors: [] });
    if (payload.name === 'LATER' && nth < 3) throw new TryAgainLater('the database is down');
    if (payload.name === 'BROKEN' && nth < 2) throw new Error('broken');
  }

  @EventPattern<string>(QUEUES.failed)
  failed(@Payload() payload: unknown, @Ctx() { message }: AmqpContext): Promise<void> {
    dead.add({ payload, message });
    return Promise.resolve();
  }
}

@Module({ controllers: [Handlers] })
class Application {}

@Controller()
class Doubled {
  @EventPattern<string>(QUEUES.intakeSend)
  again(): void {
    throw new Error('never called');
  }
  @EventPattern<string>('notifications.unknown')
  unknown(): void {
    throw new Error('never called');
  }
  @EventPattern<string>(QUEUES.intakeBulk)
  notConsumed(): void {
    throw new Error('never called');
  }
}

@Module({ controllers: [Handlers, Doubled] })
class Mismatched {}

let vhost: TestVhost;
let test: TestBroker;
let side: ChannelModel;
let app: INestMicroservice;

const strategyOf = (queues: string[]): AmqpStrategy =>
  new AmqpStrategy({
    broker: test.broker,
    log: test.log,
    refusals: new Refusals(test.publisher),
    queues: Object.fromEntries(queues.map((queue) => [queue, { prefetch: 10 }])),
  });

/** As another service would: bare JSON, or worse. */
const send = async (body: string): Promise<void> => {
  const channel = await side.createConfirmChannel();
  const { user } = test.broker;
  const properties = { messageId: 'm-1', correlationId: 'c-1', type: 'notification.send', userId: user };
  channel.publish(EXCHANGES.api, ROUTING_KEYS.send, Buffer.from(body), properties);
  await channel.waitForConfirms();
  await channel.close();
};

beforeAll(async () => {
  vhost = await createVhost();
  test = startBroker(vhost.uri);
  side = await connect(vhost.uri);
  app = await NestFactory.createMicroservice(Application, {
    strategy: strategyOf([QUEUES.intakeSend, QUEUES.failed]),
    logger: false,
  });
  await app.listen();
  await test.broker.whenConnected();
});

beforeEach(() => {
  for (const inbox of [seen, dead, observed]) inbox.items.length = 0;
});

afterAll(async () => {
  await app.close();
  await test.broker.drain(5_000);
  const channel = await side.createChannel();
  const left = [await channel.checkQueue(QUEUES.intakeSend), await channel.checkQueue(QUEUES.failed)];
  await side.close();
  await vhost.drop();
  expect(left.map(({ messageCount }) => messageCount)).toEqual([0, 0]);
});

describe('AmqpStrategy', () => {
  it('gives a handler the bare body, piped, and the message in its context', async () => {
    await send('{"name":"bell","pattern":"notifications.failed"}');
    const { payload, message } = await seen.at(0);
    expect(payload).toEqual({ name: 'BELL', pattern: 'notifications.failed' });
    expect(message).toMatchObject({
      messageId: 'm-1',
      correlationId: 'c-1',
      userId: test.broker.user,
      queue: QUEUES.intakeSend,
    });
    expect(await observed.at(0)).toBe(QUEUES.intakeSend);
  });

  it.each([
    ['a filter makes of an error', '{"name":"rejected"}', 'validation_failed', [{ field: '/name', code: 'too_bad' }]],
    ['a handler throws', '{"name":"refused"}', 'forbidden', []],
    ['JSON cannot be made of', '{"name":', 'malformed_json', [{ in: 'body' }]],
  ])('sends the refusal that %s to the dead letters, with the whole message', async (_, body, code, errors) => {
    await send(body);
    const { payload, message } = await dead.at(0);
    const refused = RefusedMessage.parse(payload);
    expect(refused).toMatchObject({
      queue: QUEUES.intakeSend,
      type: 'notification.send',
      messageId: 'm-1',
      code,
      errors,
    });
    expect(Buffer.from(refused.payload, 'base64').toString()).toBe(body);
    expect(message).toMatchObject({
      type: 'notification.message-refused',
      routingKey: ROUTING_KEYS.refused,
      correlationId: 'c-1',
    });
  });

  it('is done with an error that a filter takes care of', async () => {
    await send('{"name":"harmless"}');
    expect(await observed.at(0)).toBe(`${QUEUES.intakeSend} failed`);
    await send('{"name":"bell"}');
    await seen.first(2);
  });

  it('hands over again what has to wait, uncounted, and puts back what failed', async () => {
    await send('{"name":"later"}');
    expect((await seen.first(3)).map(({ message }) => message.deliveryCount)).toEqual([0, 0, 0]);
    seen.items.length = 0;
    await send('{"name":"broken"}');
    expect((await seen.first(2)).map(({ message }) => message.deliveryCount)).toEqual([0, 1]);
    expect(dead.items).toEqual([]);
  });

  it('does not start unless each queue has exactly one handler, and each handler a queue', async () => {
    const strategy = strategyOf([QUEUES.intakeSend, QUEUES.failed, QUEUES.reports, 'notifications.imagined']);
    const wrong = await NestFactory.createMicroservice(Mismatched, { strategy, logger: false });
    const refused: unknown = await wrong.listen().catch((error: unknown) => error);
    expect(refused).toMatchObject({
      name: 'HandlerMismatch',
      problems: [
        'notifications.intake.send has 2 handlers, and must have one',
        'notifications.reports has no handler',
        'notifications.imagined is to be consumed, and is not in the topology',
        'notifications.imagined has no handler',
        'a handler names notifications.unknown, which is no queue of the topology',
        'a handler names notifications.intake.bulk, which this process does not consume',
      ],
    });
    await wrong.close();
  });
});
