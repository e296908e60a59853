import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { EXCHANGES, QUEUE_SPECS, QUEUES } from '#contracts/topology';
import { closeBrokers, RecordingLog, startBroker, wake } from '#testing/messaging';
import { createProxy } from '#testing/proxy';
import { createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';
import { TOPOLOGY } from './declare.js';
import { closeQuietly, Link } from './link.js';

let vhost: TestVhost;

beforeAll(async () => {
  vhost = await createVhost();
});

afterEach(closeBrokers);

afterAll(async () => {
  await vhost.drop();
});

describe('Broker', () => {
  it('declares the whole topology, and again without harm', async () => {
    await startBroker(vhost.uri).broker.whenConnected();
    await startBroker(vhost.uri).broker.whenConnected();
    const queues = await vhost.queues();
    expect([...queues.keys()].sort()).toEqual(QUEUE_SPECS.map((spec) => spec.name).sort());
    for (const spec of QUEUE_SPECS) expect(queues.get(spec.name)).toEqual(spec.arguments);
  });

  it('names the queue whose arguments differ, and what to do', async () => {
    const changed = QUEUE_SPECS.map((spec) =>
      spec.name === QUEUES.reports ? { ...spec, arguments: { ...spec.arguments, 'x-delivery-limit': 7 } } : spec,
    );
    await startBroker(vhost.uri).broker.whenConnected();
    const { broker, log } = startBroker(vhost.uri, { topology: { ...TOPOLOGY, queues: changed } });
    await log.next('no connection to RabbitMQ');
    expect(broker.connected).toBe(false);
    expect(JSON.stringify(log.lines)).toMatch(/queue \\"notifications.reports\\" with other arguments.*delete it/);
  });

  it('starts while the broker is down, and connects when it is up', async () => {
    const proxy = await createProxy(vhost.uri);
    proxy.cut();
    const { broker, log, publisher } = startBroker(proxy.uri);
    await log.next('no connection to RabbitMQ');
    expect(broker.connected).toBe(false);
    expect(await publisher.publish([wake('urgent')])).toEqual(['unavailable']);
    proxy.restore();
    await broker.whenConnected();
    expect(await publisher.publish([wake('urgent')])).toEqual(['confirmed']);
    await broker.close();
    await proxy.close();
  });

  it.each([
    ['password', (uri: URL) => (uri.password = 'secret-guess')],
    ['virtual host', (uri: URL) => (uri.pathname = '/nowhere')],
  ])('says clearly, and without the secret, that the %s is wrong', async (_, spoil) => {
    const uri = new URL(vhost.uri);
    spoil(uri);
    const { broker, log } = startBroker(uri.href);
    await log.next('check user, password and virtual host of RABBITMQ_URI');
    expect(JSON.stringify(log.lines)).not.toContain(uri.password);
    await broker.close();
  });

  it('connects again after the broker has closed the connection', async () => {
    const { broker, publisher } = startBroker(vhost.uri);
    await broker.whenConnected();
    const disconnected = once(broker, 'disconnected');
    await vhost.closeConnections();
    await disconnected;
    await broker.whenConnected();
    expect(await publisher.publish([wake('urgent')])).toEqual(['confirmed']);
  });

  it('comes back from a connection that broke while its channels were closing', async () => {
    const proxy = await createProxy(vhost.uri);
    const model = await connect(proxy.uri);
    model.on('error', () => undefined);
    const channel = await model.createChannel();
    proxy.hold();
    const closing = closeQuietly(channel);
    proxy.cut();
    await closing;
    await closeQuietly(channel);
    await proxy.close();
  });

  it('comes back from a connection that broke while the broker did not answer', async () => {
    const proxy = await createProxy(vhost.uri);
    const asked = Promise.withResolvers<void>();
    let times = 0;
    const declare = (): Promise<void> => {
      times += 1;
      asked.resolve();
      return times === 1 ? new Promise(() => undefined) : Promise.resolve();
    };
    const uri = new URL(proxy.uri);
    const link = new Link({ uri, name: 'test', heartbeatSeconds: 15, log: new RecordingLog(), declare });
    link.start();
    await asked.promise;
    const up = once(link, 'up');
    proxy.cut();
    proxy.restore();
    await up;
    await link.close();
    await proxy.close();
  });

  it('declares again what was deleted meanwhile', async () => {
    const proxy = await createProxy(vhost.uri);
    const { broker, publisher } = startBroker(proxy.uri);
    await broker.whenConnected();
    const disconnected = once(broker, 'disconnected');
    proxy.cut();
    await disconnected;
    const side = await connect(vhost.uri);
    const channel = await side.createChannel();
    await channel.deleteQueue(QUEUES.intakeSend);
    await channel.deleteExchange(EXCHANGES.dead);
    await side.close();
    proxy.restore();
    await broker.whenConnected();
    expect(await publisher.publish([wake('urgent', 1, { routingKey: 'notification.send' })])).toEqual(['confirmed']);
    await broker.close();
    await proxy.close();
  });

  it('ends when it is closed before it has ever connected', async () => {
    const { broker, log } = startBroker('amqp://localhost:1');
    await log.next('no connection to RabbitMQ');
    await broker.close();
    expect(await broker.drain(1_000)).toEqual({ abandoned: 0 });
  });
});
