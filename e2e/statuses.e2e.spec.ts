import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChannelModel, connect } from 'amqplib';
import type { StatusUpdate } from '#contracts/messages';
import { hearServices } from '#testing/hear';
import { type House, received, startHouse } from '#testing/house';
import { createProxy, type TestProxy } from '#testing/proxy';

const COUNT = 40;

/** What other services are told when the dispatcher that sent cannot. */
describe('statuses', () => {
  let house: House;
  let proxy: TestProxy;
  let connection: ChannelModel;
  const sent = new Map<string, StatusUpdate>();
  let onAllSent: () => void;
  const allSent = new Promise<void>((resolve) => (onAllSent = resolve));

  beforeAll(async () => {
    house = await startHouse({ dispatchers: 0 });
    proxy = await createProxy(house.vhost.uri);
    connection = await connect(house.vhost.uri);
    await hearServices(await connection.createChannel(), ({ content }) => {
      const body = JSON.parse(content.toString()) as StatusUpdate;
      if (body.state === 'sent') sent.set(body.notificationId, body);
      if (sent.size === COUNT) onAllSent();
    });
  }, 120_000);
  afterAll(async () => {
    await connection.close();
    await house.stop();
    await proxy.close();
  }, 60_000);

  it('tells what was sent by a dispatcher that lost the broker, and then its life', async () => {
    const recipients = Array.from({ length: COUNT }, (_, index) => ({ userId: `s-${index}`, to: `token-${index}` }));
    const { body } = await house.call('POST', '/api/notifications/bulk', {
      body: { serviceName: 'wellness', content: { channel: 'push', title: 'Clinic', body: 'Open' }, recipients },
    });
    await fetch(`${house.sandbox.url}/faults/push`, {
      method: 'PUT',
      body: JSON.stringify([{ kind: 'latency', latencyMs: 2_000 }]),
    });
    const dispatcher = await house.start('dispatcher', 'dispatcher-alone', undefined, { RABBITMQ_URI: proxy.uri });
    await received(house, `channel=push&count=${COUNT}&timeoutMs=60000`);
    proxy.cut();
    const id = String(body['id']);
    let counts: { sent: number };
    do ({ counts } = (await house.call('GET', `/api/bulks/${id}`)).body as { counts: { sent: number } });
    while (counts.sent < COUNT);
    await dispatcher.kill();
    expect(sent.size).toBe(0);
    await allSent;
    for (const update of sent.values())
      expect(update).toMatchObject({ bulkId: id, previousStatus: 'pending', status: 'sent', final: true, version: 3 });
  }, 180_000);
});
