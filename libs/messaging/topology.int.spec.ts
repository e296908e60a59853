import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InboxChanged, Invalidation } from '#contracts/messages';
import { deliverQueue, EXCHANGES, QUEUES, ROUTING_KEYS, waitKey } from '#contracts/topology';
import { closeBrokers, Inbox, startBroker, until, wake } from '#testing/messaging';
import type { TestBroker } from '#testing/messaging';
import { createProxy } from '#testing/proxy';
import type { TestProxy } from '#testing/proxy';
import { createVhost } from '#testing/rabbitmq';
import type { TestVhost } from '#testing/rabbitmq';
import { BatchConsumer } from './consumer.js';
import { InboxChangesListener } from './inbox-changes.js';
import { InvalidationListener } from './invalidation.js';
import type { OutgoingMessage } from './publisher.js';

let vhost: TestVhost;
let proxy: TestProxy;
let test: TestBroker;
const reports = new Inbox();
const deliveries = new Inbox();
const invalidations = new Inbox<Invalidation>();
const reconnects = new Inbox<boolean>();
let listener: InvalidationListener;

const invalidate = (cache: string): OutgoingMessage => ({
  exchange: EXCHANGES.services,
  routingKey: ROUTING_KEYS.invalidate,
  type: 'carillon.invalidate',
  messageId: randomUUID(),
  mandatory: false,
  payload: { schemaVersion: 1, cache, key: null },
});

const onServices = (routingKey: string): OutgoingMessage => ({
  exchange: EXCHANGES.services,
  routingKey,
  type: 'notification.report',
  messageId: randomUUID(),
  mandatory: false,
  payload: {
    notificationId: '66f1c0de9a1b2c3d4e5f6071',
    serviceName: 'test',
    status: 'opened',
    occurredAt: '2026-11-21T08:00:00.000Z',
  },
});

beforeAll(async () => {
  vhost = await createVhost();
  proxy = await createProxy(vhost.uri);
  test = startBroker(proxy.uri);
  const { log, broker } = test;
  const onRefused = (): Promise<void> => Promise.reject(new Error('nothing is refused here'));
  for (const [queue, inbox] of [
    [QUEUES.reports, reports],
    [deliverQueue('push', 'normal'), deliveries],
  ] as const) {
    const onBatch = (messages: Inbox['items']): Promise<void> => Promise.resolve(inbox.add(...messages));
    new BatchConsumer({ queue, log, onBatch, onRefused }).start(broker);
  }
  listener = new InvalidationListener({
    log,
    onInvalidation: (invalidation) => invalidations.add(invalidation),
    onReconnected: () => reconnects.add(true),
  });
  listener.start(broker);
  await broker.whenConnected();
});

beforeEach(() => {
  for (const inbox of [reports, deliveries, invalidations, reconnects]) inbox.items.length = 0;
});

afterAll(async () => {
  await closeBrokers();
  await proxy.close();
  await vhost.drop();
});

describe('what waits', () => {
  it('comes back to the queue of its lane after its time, with its key', async () => {
    const startedAt = performance.now();
    const message = wake('normal', 3, { exchange: EXCHANGES.retry, routingKey: waitKey(1, 1, 'push', 'normal') });
    expect(await test.publisher.publish([message])).toEqual(['confirmed']);
    const back = await deliveries.at(0);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    expect(back).toMatchObject({
      messageId: message.messageId,
      routingKey: 'wait.1.1.push.normal',
      exchange: EXCHANGES.api,
    });
    expect(back.deaths).toEqual([{ queue: 'notifications.wait.1.1', reason: 'expired', count: 1 }]);
    expect(back.payload).toMatchObject({ attempt: 3 });
  });

  it('is returned when its channel is unknown to the ladder', async () => {
    const message = wake('normal', 1, { exchange: EXCHANGES.retry, routingKey: 'wait.3.1.push.normal' });
    expect(await test.publisher.publish([message])).toEqual(['returned']);
  });
});

describe('the exchange services', () => {
  it('keeps what is ours from the reports, whether or not somebody listens, and lets every other key through', async () => {
    const keys = [
      ROUTING_KEYS.status,
      ROUTING_KEYS.invalidate,
      ROUTING_KEYS.inbox,
      '',
      'notification.opened',
      'anything',
    ];
    expect(new Set(await test.publisher.publish(keys.map(onServices)))).toEqual(new Set(['confirmed']));
    await reports.first(3);
    expect(reports.items.map((message) => message.routingKey)).toEqual(['', 'notification.opened', 'anything']);
  });

  it('tells every process of invalidations, and of nothing else', async () => {
    await test.publisher.publish([
      onServices('notification.opened'),
      invalidate('keys'),
      onServices(ROUTING_KEYS.status),
    ]);
    await test.publisher.publish([invalidate('settings')]);
    expect((await invalidations.first(2)).map(({ cache }) => cache)).toEqual(['keys', 'settings']);
  });

  it('tells gateways of inboxes, and of nothing else', async () => {
    const changed = new Inbox<InboxChanged>();
    const heard = new InboxChangesListener({
      log: test.log,
      onChanged: (message) => changed.add(message),
      onReconnected: () => reconnects.add(true),
    });
    heard.start(test.broker);
    await reconnects.first(1);
    await test.publisher.publish([
      invalidate('keys'),
      {
        exchange: EXCHANGES.services,
        routingKey: ROUTING_KEYS.inbox,
        type: 'carillon.inbox',
        messageId: randomUUID(),
        mandatory: false,
        payload: { schemaVersion: 1, readers: ['one', 'two'] },
      },
      invalidate('settings'),
    ]);
    await invalidations.first(2);
    expect((await changed.at(0)).readers).toEqual(['one', 'two']);
    await heard.stop();
    expect(changed.items).toHaveLength(1);
    expect(invalidations.items.map(({ cache }) => cache)).toEqual(['keys', 'settings']);
  });

  it('goes on after an invalidation that cannot be read', async () => {
    const told = test.log.next('was not understood');
    await test.publisher.publish([{ ...onServices(ROUTING_KEYS.invalidate) }, invalidate('keys')]);
    await told;
    expect((await invalidations.at(0)).cache).toBe('keys');
  });

  it('has caches dropped after a reconnect, and listens again', async () => {
    const disconnected = once(test.broker, 'disconnected');
    proxy.cut();
    await disconnected;
    await until(() => !listener.listening);
    proxy.restore();
    await reconnects.first(1);
    await test.broker.whenConnected();
    expect(listener.listening).toBe(true);
    await test.publisher.publish([invalidate('keys')]);
    await invalidations.first(1);
  });

  it('passes on who wrote a report, as the broker has checked it', async () => {
    const { user, uri } = await vhost.addUser();
    const other = startBroker(uri);
    await other.broker.whenConnected();
    await other.publisher.publish([onServices('notification.opened')]);
    expect((await reports.at(0)).userId).toBe(user);
  });
});
