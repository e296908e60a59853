import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import type { Channel, ChannelModel } from 'amqplib';
import { EXCHANGES } from '#contracts/topology';
import { attemptOf, closeBrokers, Inbox, startBroker, startConsumer, until } from '#testing/messaging';
import type { TestBroker, TestConsumer } from '#testing/messaging';
import { createProxy } from '#testing/proxy';
import type { TestProxy } from '#testing/proxy';
import { createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';
import type { BatchConsumerOptions } from './consumer.js';
import { TryAgainLater } from './errors.js';

let vhost: TestVhost;
let proxy: TestProxy;
let test: TestBroker;
let side: ChannelModel;
let channel: Channel;

const consume = (options: Partial<BatchConsumerOptions>): Promise<TestConsumer> =>
  startConsumer(test, proxy.uri, options);

/** Messages ready to be delivered, that is, in nobody's hands. */
const ready = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;

beforeAll(async () => {
  vhost = await createVhost();
  proxy = await createProxy(vhost.uri);
  test = startBroker(vhost.uri);
  await test.broker.whenConnected();
  side = await connect(vhost.uri);
  channel = await side.createChannel();
});

afterEach(() => proxy.restore());

afterAll(async () => {
  await side.close();
  await closeBrokers();
  await proxy.close();
  await vhost.drop();
});

describe('BatchConsumer', () => {
  it('hands over what comes together, with its properties, and acknowledges it', async () => {
    const seen = new Inbox();
    const own = await consume({
      onBatch: (messages) => Promise.resolve(seen.add(...messages)),
    });
    await own.publish(1, 2, 3);
    const messages = await seen.first(3);
    expect(messages.map(attemptOf)).toEqual([1, 2, 3]);
    expect(messages[0]).toMatchObject({
      queue: own.queue,
      exchange: EXCHANGES.api,
      type: 'notification.deliver',
      userId: test.broker.user,
      redelivered: false,
      deliveryCount: 0,
      deaths: [],
      traceparent: null,
      correlationId: null,
    });
    expect(messages[0]?.timestamp).toBeGreaterThan(Date.now() - 60_000);
    expect(await own.broker.drain(5_000)).toEqual({ abandoned: 0 });
    expect(await ready(own.queue)).toBe(0);
  });

  it('takes no more than its prefetch before it acknowledges', async () => {
    const seen = new Inbox();
    const release = Promise.withResolvers<void>();
    const own = await consume({
      prefetch: 5,
      maxBatch: 1,
      concurrency: 50,
      onBatch: (messages) => {
        seen.add(...messages);
        return release.promise;
      },
    });
    await own.publish(...Array.from({ length: 20 }, (_, index) => index));
    await seen.first(5);
    expect(await ready(own.queue)).toBe(15);
    expect(seen.items).toHaveLength(5);
    release.resolve();
    await seen.first(20);
    await own.broker.drain(5_000);
    expect(await ready(own.queue)).toBe(0);
  });

  it('gets again what was in hand when the connection broke, and acknowledges nothing of it before', async () => {
    const seen = new Inbox();
    const release = Promise.withResolvers<void>();
    const own = await consume({
      onBatch: (messages) => {
        seen.add(...messages);
        return seen.items.length > 2 ? Promise.resolve() : release.promise;
      },
    });
    await own.publish(1, 2);
    const first = await seen.first(2);
    proxy.cut();
    await until(() => first.every((message) => !message.open));
    expect(own.consumer.consuming).toBe(false);
    release.resolve();
    proxy.restore();
    const again = (await seen.first(4)).slice(2);
    expect(again.map(attemptOf)).toEqual([1, 2]);
    expect(again.map((message) => [message.redelivered, message.deliveryCount])).toEqual([
      [true, 1],
      [true, 1],
    ]);
    await own.broker.drain(5_000);
    expect(await ready(own.queue)).toBe(0);
  });

  it('puts back only the culprit when a batch fails', async () => {
    const seen = new Inbox();
    const own = await consume({
      onBatch: (messages) => {
        if (messages.some((message) => attemptOf(message) === 3 && message.deliveryCount < 2))
          throw new Error('poison');
        return Promise.resolve(seen.add(...messages));
      },
    });
    await own.publish(1, 2, 3, 4);
    const counts = (await seen.first(4)).map((message) => [attemptOf(message), message.deliveryCount]);
    expect(counts.pop()).toEqual([3, 2]);
    expect(counts.sort()).toEqual([
      [1, 0],
      [2, 0],
      [4, 0],
    ]);
    await own.broker.drain(5_000);
    expect(await ready(own.queue)).toBe(0);
  });

  it('keeps in hand, uncounted, what only has to wait', async () => {
    const seen = new Inbox();
    const own = await consume({
      onBatch: (messages) => {
        seen.add(...messages);
        return seen.items.length < 3 ? Promise.reject(new TryAgainLater('the database is down')) : Promise.resolve();
      },
    });
    await own.publish(1);
    expect((await seen.first(3)).map((message) => message.deliveryCount)).toEqual([0, 0, 0]);
    await own.broker.drain(5_000);
    expect(own.log.lines).toContainEqual(expect.objectContaining({ message: 'messages wait for what they need' }));
  });

  it('has what is not JSON and what its handler refuses written down, then acknowledges it', async () => {
    const written = new Inbox<string>();
    const seen = new Inbox();
    let attempts = 0;
    const own = await consume({
      onBatch: (messages) => {
        for (const message of messages) {
          if (attemptOf(message) === 1) message.refuse({ code: 'validation_failed', errors: [] });
          else seen.add(message);
        }
        return Promise.resolve();
      },
      onRefused: (_, { code }) => {
        if (++attempts < 3) return Promise.reject(new TryAgainLater('not confirmed'));
        return Promise.resolve(written.add(code));
      },
    });
    for (const body of ['{', '', '"\xff"']) channel.sendToQueue(own.queue, Buffer.from(body, 'latin1'));
    await own.publish(1, 2);
    await seen.first(1);
    expect((await written.first(4)).sort()).toEqual([
      'malformed_json',
      'malformed_json',
      'malformed_json',
      'validation_failed',
    ]);
    await own.broker.drain(5_000);
    expect(await ready(own.queue)).toBe(0);
  });

  it('subscribes again when its queue was deleted', async () => {
    const seen = new Inbox();
    const own = await consume({
      onBatch: (messages) => Promise.resolve(seen.add(...messages)),
    });
    const cancelled = own.log.next('cancelled our consumer');
    await channel.deleteQueue(own.queue);
    await cancelled;
    await until(() => !own.consumer.consuming);
    await until(() => own.consumer.consuming);
    await own.publish(1);
    await seen.first(1);
    await own.broker.drain(5_000);
  });

  it('gives one message back at once, and another one never', async () => {
    const seen = new Inbox();
    const own = await consume({
      onBatch: (messages) => {
        seen.add(...messages);
        for (const message of messages) if (message.deliveryCount === 0 && attemptOf(message) === 1) message.requeue();
        for (const message of messages) message.ack();
        return Promise.resolve();
      },
    });
    await own.publish(1, 2);
    expect((await seen.first(3)).map(attemptOf).sort()).toEqual([1, 1, 2]);
    await own.broker.drain(5_000);
    expect(await ready(own.queue)).toBe(0);
  });
});
