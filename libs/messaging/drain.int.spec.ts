import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import type { Channel, ChannelModel } from 'amqplib';
import { closeBrokers, Inbox, startBroker, startConsumer, until, wake } from '#testing/messaging';
import type { TestBroker, TestConsumer } from '#testing/messaging';
import { createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';
import type { BatchConsumerOptions } from './consumer.js';
import { TryAgainLater } from './errors.js';

let vhost: TestVhost;
let test: TestBroker;
let side: ChannelModel;
let channel: Channel;

const consume = (options: Partial<BatchConsumerOptions>): Promise<TestConsumer> =>
  startConsumer(test, vhost.uri, options);

const ready = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;

beforeAll(async () => {
  vhost = await createVhost();
  test = startBroker(vhost.uri);
  await test.broker.whenConnected();
  side = await connect(vhost.uri);
  channel = await side.createChannel();
});

afterAll(async () => {
  await side.close();
  await closeBrokers();
  await vhost.drop();
});

describe('Broker.drain', () => {
  it('lets what is in hand finish, publishing included, and gives the rest back', async () => {
    const seen = new Inbox();
    const release = Promise.withResolvers<void>();
    const own = await consume({
      concurrency: 2,
      maxBatch: 1,
      gatherMs: 0,
      onBatch: async (messages) => {
        seen.add(...messages);
        await release.promise;
        expect(await own.publisher.publish([wake('urgent')])).toEqual(['confirmed']);
      },
    });
    await own.publish(1, 2, 3, 4, 5);
    await seen.first(2);
    const drained = own.broker.drain(10_000);
    await until(async () => (await ready(own.queue)) === 3);
    release.resolve();
    expect(await drained).toEqual({ abandoned: 0 });
    expect(seen.items).toHaveLength(2);
    expect(await ready(own.queue)).toBe(3);
  });

  it('does not wait beyond its deadline', async () => {
    const seen = new Inbox();
    const own = await consume({
      onBatch: (messages) => {
        seen.add(...messages);
        return new Promise(() => undefined);
      },
    });
    await own.publish(1, 2);
    await seen.first(2);
    expect(await own.broker.drain(100)).toEqual({ abandoned: 2 });
    await until(async () => (await ready(own.queue)) === 2);
  });

  it('does not wait for what waits to be put back', async () => {
    const own = await consume({ onBatch: () => Promise.reject(new TryAgainLater('down')) });
    const waiting = own.log.next('messages wait');
    await own.publish(1);
    await waiting;
    expect(await own.broker.drain(10_000)).toEqual({ abandoned: 0 });
    await until(async () => (await ready(own.queue)) === 1);
  });

  it('publishes what the work left behind, and closes even if that fails', async () => {
    const own = await consume({});
    const published: unknown[] = [];
    await own.broker.drain(10_000, async () => {
      published.push(...(await own.publisher.publish([wake('urgent')])));
      throw new Error('broken');
    });
    expect(published).toEqual(['confirmed']);
    expect(own.broker.connected).toBe(false);
  });
});
