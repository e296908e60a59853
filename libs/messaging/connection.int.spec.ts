import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { EXCHANGES, QUEUE_SPECS, QUEUES } from '#contracts/topology';
import { startBroker, wake } from '#testing/messaging';
import type { TestBroker } from '#testing/messaging';
import { createProxy, createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';
import { TOPOLOGY } from './declare.js';

let vhost: TestVhost;
const opened: TestBroker[] = [];

const start = (...parameters: Parameters<typeof startBroker>): TestBroker => {
  const test = startBroker(...parameters);
  opened.push(test);
  return test;
};

beforeAll(async () => {
  vhost = await createVhost();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ broker }) => broker.close()));
});

afterAll(async () => {
  await vhost.drop();
});

describe('Broker', () => {
  it('declares the whole topology, and again without harm', async () => {
    await start(vhost.uri).broker.whenConnected();
    await start(vhost.uri).broker.whenConnected();
    const queues = await vhost.queues();
    expect([...queues.keys()].sort()).toEqual(QUEUE_SPECS.map((spec) => spec.name).sort());
    for (const spec of QUEUE_SPECS) expect(queues.get(spec.name)).toEqual(spec.arguments);
  });

  it('names the queue whose arguments differ, and what to do', async () => {
    const changed = QUEUE_SPECS.map((spec) =>
      spec.name === QUEUES.reports ? { ...spec, arguments: { ...spec.arguments, 'x-delivery-limit': 7 } } : spec,
    );
    await start(vhost.uri).broker.whenConnected();
    const { broker, log } = start(vhost.uri, { topology: { ...TOPOLOGY, queues: changed } });
    await log.next('no connection to RabbitMQ');
    expect(broker.connected).toBe(false);
    expect(JSON.stringify(log.lines)).toMatch(/queue \\"notifications.reports\\" with other arguments.*delete it/);
  });

  it('starts while the broker is down, and connects when it is up', async () => {
    const proxy = await createProxy(vhost.uri);
    proxy.cut();
    const { broker, log, publisher } = start(proxy.uri);
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
    const { broker, log } = start(uri.href);
    await log.next('check user, password and virtual host of RABBITMQ_URI');
    expect(JSON.stringify(log.lines)).not.toContain(uri.password);
    await broker.close();
  });

  it('connects again after the broker has closed the connection', async () => {
    const { broker, publisher } = start(vhost.uri);
    await broker.whenConnected();
    const disconnected = once(broker, 'disconnected');
    await vhost.closeConnections();
    await disconnected;
    await broker.whenConnected();
    expect(await publisher.publish([wake('urgent')])).toEqual(['confirmed']);
  });

  it('declares again what was deleted meanwhile', async () => {
    const proxy = await createProxy(vhost.uri);
    const { broker, publisher } = start(proxy.uri);
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
    const { broker, log } = start('amqp://localhost:1');
    await log.next('no connection to RabbitMQ');
    await broker.close();
    expect(await broker.drain(1_000)).toEqual({ abandoned: 0 });
  });
});
