import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type House, send, startHouse, until } from '#testing/house';
import { runApp } from '#testing/processes';

/** What operators do: keys, health, metrics, configuration. */
describe('operations', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ gateways: 2 });
  }, 120_000);
  afterAll(() => house.stop(), 60_000);

  it('answers /health and /metrics without a key, on every app', async () => {
    for (const { url } of [...house.gateways, ...house.dispatchers, ...house.schedulers]) {
      const health = (await (await fetch(`${url}/health`)).json()) as Record<string, unknown>;
      expect(health).toEqual({
        status: 'ok',
        timestamp: expect.any(String) as unknown,
        version: expect.any(String) as unknown,
      });
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect(await (await fetch(`${url}/metrics`)).text()).toContain('carillon_broker_connected');
    }
  });

  it('makes, rotates and revokes keys on all gateways, without a restart', async () => {
    const made = await house.call('POST', '/api/keys', {
      body: { owner: 'desk', scopes: ['notifications:send', 'notifications:read'], services: ['test'] },
    });
    expect(made.status).toBe(201);
    const key = String(made.body['key']);
    const list = (gateway: number, own: string) => house.call('GET', '/api/notifications', { key: own, gateway });
    expect([(await list(0, key)).status, (await list(1, key)).status]).toEqual([200, 200]);
    expect(await house.call('GET', '/api/keys', { key })).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
    const rotated = await house.call('POST', `/api/keys/${String(made.body['id'])}/rotate`, {
      body: { graceSeconds: 3600 },
    });
    const successor = String(rotated.body['key']);
    expect([(await list(0, key)).status, (await list(1, successor)).status]).toEqual([200, 200]);
    expect((await house.call('DELETE', `/api/keys/${String(made.body['id'])}`)).status).toBe(204);
    // Told by the fanout: each gateway hears of it by itself.
    for (const gateway of [0, 1]) while ((await list(gateway, key)).status !== 401);
    expect((await list(0, successor)).status).toBe(200);
  });

  it('tells who asks without a key, or for what is not theirs', async () => {
    expect(await house.call('GET', '/api/notifications', { key: null })).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' },
    });
    expect(await house.call('GET', '/api/notifications', { key: 'car_nonsense' })).toMatchObject({ status: 401 });
    const { id } = await send(house, {
      serviceName: 'wellness',
      userId: 'p-1',
      channel: 'email',
      to: 'a@example.org',
      title: 't',
      body: 'b',
    });
    const made = await house.call('POST', '/api/keys', {
      body: { owner: 'desk', scopes: ['notifications:read'], services: ['test'] },
    });
    expect(await house.call('GET', `/api/notifications/${id}`, { key: String(made.body['key']) })).toMatchObject({
      status: 404,
    });
  });

  it('carries the trace from the caller to the provider, and the request id back', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const answer = await house.call('POST', '/api/notifications', {
      body: { serviceName: 'test', userId: 'p-2', channel: 'webhook', to: `${house.sandbox.url}/webhook/x`, body: 'b' },
      headers: { traceparent, 'x-request-id': 'my-request' },
    });
    expect(answer.headers.get('x-request-id')).toBe('my-request');
    const id = String(answer.body['id']);
    await until(house, id, ({ state }) => state === 'sent');
    const { data } = (await (await fetch(`${house.sandbox.url}/received?notificationId=${id}`)).json()) as {
      data: { sequence: number }[];
    };
    const whole = (await (await fetch(`${house.sandbox.url}/received/${data[0]?.sequence ?? 0}`)).json()) as {
      headers: Record<string, string>;
    };
    expect(JSON.stringify(whole.headers)).toContain('4bf92f3577b34da6a3ce929d0e0e4736');
  });

  it.each([
    ['notification-api', { MONGODB_URI: 'http://wrong' }, 'MONGODB_URI'],
    ['notification-api', { INBOX_TOKEN_SECRET: 'short' }, 'INBOX_TOKEN_SECRET'],
    ['dispatcher', { RABBITMQ_URI: 'nonsense' }, 'RABBITMQ_URI'],
    ['scheduler', { RELAY_EVERY_S: 'often' }, 'RELAY_EVERY_S'],
  ])('%s does not start with a wrong setting, and names it', async (app, wrong, name) => {
    await expect(runApp(app, [], { ...house.env, ...wrong })).rejects.toThrow(new RegExp(`78.*${name} must`, 's'));
  });
});
