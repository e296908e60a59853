import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { deliverQueue, EXCHANGES } from '#contracts/topology';
import { closeBrokers, startBroker, until, wake } from '#testing/messaging';
import type { TestBroker } from '#testing/messaging';
import { createProxy } from '#testing/proxy';
import type { TestProxy } from '#testing/proxy';
import { createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';

let vhost: TestVhost;
let proxy: TestProxy;
let test: TestBroker;
let side: ChannelModel;

beforeAll(async () => {
  vhost = await createVhost();
  proxy = await createProxy(vhost.uri);
  test = startBroker(proxy.uri);
  await test.broker.whenConnected();
  side = await connect(vhost.uri);
});

afterEach(() => proxy.restore());

afterAll(async () => {
  await side.close();
  await closeBrokers();
  await proxy.close();
  await vhost.drop();
});

const take = async (queue: string): Promise<ConsumeMessage> => {
  const channel = await side.createChannel();
  const { promise, resolve } = Promise.withResolvers<ConsumeMessage>();
  await channel.consume(queue, (message) => message !== null && resolve(message), { noAck: true });
  const message = await promise;
  await channel.close();
  return message;
};

describe('Publisher', () => {
  it('answers in order: confirmed, and returned where no queue takes it', async () => {
    const results = await test.publisher.publish([
      wake('urgent'),
      wake('urgent', 1, { routingKey: 'nowhere' }),
      wake('urgent'),
      wake('urgent', 1, { routingKey: 'nowhere', mandatory: false }),
    ]);
    expect(results).toEqual(['confirmed', 'returned', 'confirmed', 'confirmed']);
    expect(await test.publisher.publish([])).toEqual([]);
  });

  it('tells of each of two equal messages that it was returned', async () => {
    const lost = wake('urgent', 1, { routingKey: 'nowhere' });
    expect(await test.publisher.publish([lost, lost, wake('urgent')])).toEqual(['returned', 'returned', 'confirmed']);
  });

  it('writes every property of the contract', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const before = Math.floor(Date.now() / 1_000);
    await test.publisher.publish([
      wake('bulk', 7, { messageId: 'm-1', correlationId: 'c-1', traceparent, headers: { extra: 1 } }),
    ]);
    const { properties, content } = await take(deliverQueue('push', 'bulk'));
    expect(properties).toMatchObject({
      contentType: 'application/json',
      deliveryMode: 2,
      type: 'notification.deliver',
      messageId: 'm-1',
      correlationId: 'c-1',
      userId: test.broker.user,
      headers: { traceparent, extra: 1 },
    });
    expect(properties.timestamp).toBeGreaterThanOrEqual(before);
    expect(JSON.parse(content.toString())).toMatchObject({ attempt: 7 });
  });

  it('confirms many batches at once, beyond what the socket takes', async () => {
    const batches = Array.from({ length: 20 }, () => Array.from({ length: 500 }, (_, index) => wake('normal', index)));
    const results = (await Promise.all(batches.map((batch) => test.publisher.publish(batch)))).flat();
    expect(results).toHaveLength(10_000);
    expect(new Set(results)).toEqual(new Set(['confirmed']));
  });

  it('refuses what cannot be encoded, and goes on', async () => {
    const results = await test.publisher.publish([wake('urgent', 1, { messageId: 'x'.repeat(300) }), wake('urgent')]);
    expect(results).toEqual(['nacked', 'confirmed']);
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(await test.publisher.publish([wake('urgent', 1, { payload: circular as never })])).toEqual(['nacked']);
  });

  it('comes back after the broker has closed its channel', async () => {
    const closed = test.log.next('closed a channel');
    expect(await test.publisher.publish([wake('urgent', 1, { exchange: 'unknown' }), wake('urgent')])).toContain(
      'unavailable',
    );
    await closed;
    await until(async () => (await test.publisher.publish([wake('urgent')]))[0] === 'confirmed');
  });

  it('answers unavailable for what is under way when the connection breaks, and at once while there is none', async () => {
    const disconnected = once(test.broker, 'disconnected');
    const underWay = test.publisher.publish(Array.from({ length: 5_000 }, () => wake('normal')));
    proxy.cut();
    await disconnected;
    expect(await underWay).toContain('unavailable');
    expect(await test.publisher.publish([wake('normal')])).toEqual(['unavailable']);
    const connected = once(test.broker, 'connected');
    proxy.restore();
    await connected;
    expect(await test.publisher.publish([wake('normal')])).toEqual(['confirmed']);
  });

  it('gives up at the deadline, and leaves too much to the caller', async () => {
    const hasty = startBroker(proxy.uri, { publisher: { confirmMs: 100, maxWaiting: 10 } });
    await hasty.broker.whenConnected();
    proxy.hold();
    const batch = Array.from({ length: 2_000 }, () => wake('normal'));
    const [late, tooMuch] = await Promise.all([hasty.publisher.publish(batch), hasty.publisher.publish(batch)]);
    expect(new Set(late)).toEqual(new Set(['unavailable']));
    expect(new Set(tooMuch)).toEqual(new Set(['unavailable']));
    proxy.restore();
    // Only when the late confirms have made room for all.
    await hasty.publisher.finished();
  });

  it('may not speak for another user', async () => {
    const { uri } = await vhost.addUser();
    const other = await connect(uri);
    const channel = await other.createChannel();
    const refused = once(channel, 'error');
    channel.publish(EXCHANGES.api, 'notification.send', Buffer.from('{}'), { userId: test.broker.user });
    expect(await refused).toMatchObject([{ code: 406 }]);
    await other.close();
  });
});
