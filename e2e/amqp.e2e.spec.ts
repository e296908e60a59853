import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Channel, type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import type { StatusUpdate } from '#contracts/messages';
import { EXCHANGES, ROUTING_KEYS } from '#contracts/topology';
import { hearServices } from '#testing/hear';
import { type House, send, startHouse, until } from '#testing/house';

/** What other services see of RabbitMQ: intake, statuses, reports. */
describe('AMQP', () => {
  let house: House;
  let connection: ChannelModel;
  let channel: Channel;
  let user: string;
  const heard: ConsumeMessage[] = [];
  let waiting: (() => void)[] = [];

  beforeAll(async () => {
    user = decodeURIComponent(new URL(process.env['RABBITMQ_URI'] ?? '').username);
    house = await startHouse({
      env: { AMQP_USERS: `${user}=diabetes,wellness:notifications:send,notifications:mark` },
    });
    connection = await connect(house.vhost.uri);
    channel = await connection.createChannel();
    await hearServices(channel, (message) => {
      heard.push(message);
      for (const look of waiting.splice(0)) look();
    });
  }, 120_000);
  afterAll(async () => {
    await connection.close();
    await house.stop();
  }, 60_000);

  const next = async <T>(type: string, wanted: (body: T) => boolean): Promise<T> => {
    for (;;) {
      for (const message of heard) {
        if (message.properties.type !== type) continue;
        const body = JSON.parse(message.content.toString()) as T;
        if (wanted(body)) return body;
      }
      await new Promise<void>((resolve) => (waiting = [...waiting, resolve]));
    }
  };
  const publish = (key: string, body: unknown, options: Record<string, unknown>): void => {
    channel.publish(EXCHANGES.api, key, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), {
      contentType: 'application/json',
      userId: user,
      persistent: true,
      ...options,
    });
  };
  const content = {
    serviceName: 'diabetes',
    userId: 'p-7',
    channel: 'email',
    to: 'ada@example.org',
    title: 'Insulin',
    body: 'Now',
  };

  it('sends what is published, tells the producer, and takes a repeated messageId once', async () => {
    publish(ROUTING_KEYS.send, content, { messageId: 'm-1', correlationId: 'c-1', type: 'notification.send' });
    const accepted = await next<{ notificationId: string; messageId: string; correlationId: string }>(
      'notification.accepted',
      ({ messageId }) => messageId === 'm-1',
    );
    expect(accepted).toMatchObject({ correlationId: 'c-1', producer: user, bulkId: null });
    const sent = await next<StatusUpdate>(
      'notification.status',
      ({ notificationId, state }) => notificationId === accepted.notificationId && state === 'sent',
    );
    expect(sent).toMatchObject({ previousStatus: 'pending', status: 'sent', final: true, version: 3 });
    heard.length = 0;
    publish(ROUTING_KEYS.send, content, { messageId: 'm-1', type: 'notification.send' });
    const again = await next<{ notificationId: string }>('notification.accepted', () => true);
    expect(again.notificationId).toBe(accepted.notificationId);
  });

  it('takes bulks', async () => {
    const notifications = Array.from({ length: 30 }, (_, index) => ({ ...content, userId: `q-${index}` }));
    publish(
      ROUTING_KEYS.bulk,
      { serviceName: 'diabetes', notifications },
      { messageId: 'b-1', type: 'notification.bulk' },
    );
    const { bulkId } = await next<{ messageId: string; bulkId: string }>(
      'notification.accepted',
      ({ messageId }) => messageId === 'b-1',
    );
    let counts: unknown;
    do counts = (await house.call('GET', `/api/bulks/${bulkId}`)).body['counts'];
    while ((counts as { pending: number }).pending > 0);
    expect(counts).toMatchObject({ total: 30, accepted: 30, sent: 30 });
  });

  it.each([
    ['a wrong field', { ...content, colour: 'red' }, { messageId: 'r-1' }, '/colour'],
    ['a wrong address', { ...content, to: 'nobody' }, { messageId: 'r-2' }, '/to'],
    ['no messageId', content, {}, 'message_id'],
    ['another service', { ...content, serviceName: 'maternity' }, { messageId: 'r-4' }, ''],
  ])('refuses %s, names the field, and keeps it as a dead letter', async (_, body, options, field) => {
    heard.length = 0;
    publish(ROUTING_KEYS.send, body, { ...options, correlationId: `refuse-${field}`, type: 'notification.send' });
    const refused = await next<{ correlationId: string; errors: { field: string }[] }>(
      'notification.refused',
      ({ correlationId }) => correlationId === `refuse-${field}`,
    );
    expect(refused.errors.map((error) => error.field)).toContain(field);
    expect(JSON.stringify(refused)).not.toContain('nobody');
    let letters: { errors: { field: string }[] }[];
    do letters = (await house.call('GET', '/api/dead-letters?class=schema')).body['data'] as typeof letters;
    while (!letters.some(({ errors }) => errors.some((error) => error.field === field)));
  });

  it('goes on after bytes that are no JSON', async () => {
    publish(ROUTING_KEYS.send, 'not { JSON', { messageId: 'x-1' });
    publish(ROUTING_KEYS.send, { ...content, userId: 'p-8' }, { messageId: 'm-2', type: 'notification.send' });
    await next<{ messageId: string }>('notification.accepted', ({ messageId }) => messageId === 'm-2');
  });

  it('applies what other services report, forwards only', async () => {
    const { id } = await send(house, { ...content, channel: 'email', serviceName: 'wellness', userId: 'p-9' });
    await until(house, id, ({ state }) => state === 'sent');
    const report = (status: string): void => {
      const body = { notificationId: id, serviceName: 'wellness', status, occurredAt: new Date().toISOString() };
      channel.publish(EXCHANGES.services, '', Buffer.from(JSON.stringify(body)), {
        userId: user,
        type: 'notification.report',
      });
    };
    report('read');
    expect(await until(house, id, ({ readAt }) => readAt !== null)).toMatchObject({ state: 'sent' });
    report('delivered');
    await until(house, id, ({ deliveredAt }) => deliveredAt !== null);
    report('failed');
    report('opened');
    expect(await until(house, id, ({ openedAt }) => openedAt !== null)).toMatchObject({
      state: 'sent',
      status: 'sent',
    });
  });
});
