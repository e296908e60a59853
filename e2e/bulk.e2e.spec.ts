import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type House, received, startHouse } from '#testing/house';
import { freePort } from '#testing/processes';

describe('bulk', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ gateways: 1, dispatchers: 2, schedulers: 1 });
  }, 120_000);
  afterAll(() => house.stop(), 60_000);

  const settled = async (id: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { body } = await house.call('GET', `/api/bulks/${id}`);
      if (body['status'] === 'completed' || body['status'] === 'cancelled') return body;
    }
  };

  it('accepts what it can of many, says what it cannot, and completes', async () => {
    const recipients = Array.from({ length: 2_500 }, (_, index) => ({
      userId: `b-${index}`,
      to: index === 17 ? 'not an address' : `b-${index}@example.org`,
      reference: `r-${index}`,
    }));
    const content = { channel: 'email', title: 'Clinic', body: 'Closed on Monday' };
    const call = {
      body: { serviceName: 'wellness', content, recipients },
      headers: { 'idempotency-key': 'campaign-1' },
    };
    const answer = await house.call('POST', '/api/notifications/bulk', call);
    expect(answer).toMatchObject({
      status: 202,
      body: {
        status: 'running',
        counts: { total: 2_500, accepted: 2_499, refused: 1 },
        refused: [{ index: 17, reference: 'r-17', errors: [{ field: '/recipients/17/to', code: 'invalid_email' }] }],
        refusedTruncated: false,
      },
    });
    const id = String(answer.body['id']);
    await received(house, 'channel=email&count=2499&timeoutMs=60000');
    expect(await settled(id)).toMatchObject({ counts: { pending: 0, sent: 2_499, failed: 0 } });
    const again = await house.call('POST', '/api/notifications/bulk', call);
    expect(again.body['id']).toBe(id);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const counts = (await (await fetch(`${house.sandbox.url}/counts`)).json()) as { email: Record<string, number> };
    expect(counts.email).toMatchObject({ distinctNotifications: 2_499, redelivered: 0, duplicates: 0 });
    const items = await house.call('GET', `/api/notifications?bulkId=${id}&limit=1`);
    expect(items.body['data']).toMatchObject([{ bulkId: id, status: 'sent' }]);
  }, 90_000);

  it('delivers what a gateway accepted without a broker, and did not live to tell', async () => {
    const nowhere = { RABBITMQ_URI: `amqp://127.0.0.1:${await freePort()}` };
    const gateway = await house.start('notification-api', 'notification-api-alone', undefined, nowhere);
    const recipients = Array.from({ length: 1_200 }, (_, index) => ({
      userId: `a-${index}`,
      to: `a-${index}@example.org`,
    }));
    const content = { channel: 'email', title: 'Clinic', body: 'Open again' };
    const response = await fetch(`${gateway.url}/api/notifications/bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ serviceName: 'wellness', content, recipients }),
    });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await gateway.kill();
    expect(await settled(id)).toMatchObject({ status: 'completed', counts: { sent: 1_200, pending: 0, failed: 0 } });
  }, 90_000);

  it('refuses a bulk of which nothing can be accepted, and makes none', async () => {
    const notifications = [
      { channel: 'email', to: 'nobody', title: 'x', body: 'x' },
      { channel: 'email', colour: 'red' },
    ];
    const answer = await house.call('POST', '/api/notifications/bulk', {
      body: { serviceName: 'wellness', notifications },
    });
    expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    const fields = (answer.body['errors'] as { field: string }[]).map(({ field }) => field);
    expect(fields).toEqual(
      expect.arrayContaining(['/notifications/0/to', '/notifications/1/body', '/notifications/1/colour']),
    );
  });

  it('cancels what is not sent', async () => {
    const sendAt = new Date(Date.now() + 3_600_000).toISOString();
    const notifications = Array.from({ length: 50 }, (_, index) => ({
      userId: `c-${index}`,
      channel: 'email',
      to: 'ada@example.org',
      title: 'Later',
      body: 'Later',
      sendAt,
    }));
    const { body } = await house.call('POST', '/api/notifications/bulk', {
      body: { serviceName: 'wellness', notifications },
    });
    const id = String(body['id']);
    expect((await house.call('POST', `/api/bulks/${id}/cancel`)).status).toBe(200);
    expect(await settled(id)).toMatchObject({ status: 'cancelled', counts: { cancelled: 50, pending: 0, sent: 0 } });
  });
});
