import { describe, expect, it } from '@jest/globals';
import { testApi } from './spec-api.js';
import { KNOWN_USER } from './spec-parts.js';

const readiness = { database: () => Promise.resolve(), broker: () => true };
const notification = { serviceName: 'diabetes', userId: KNOWN_USER, body: 'x' };

describe('health', () => {
  it('is true while the process can serve, without a key', async () => {
    const api = await testApi();
    const { status, body } = await api.ask({ method: 'GET', path: '/health', key: null });
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ok', timestamp: expect.any(String), version: '0.0.0-test' });
    await api.app.close();
  });

  it.each([
    [
      'everything answers',
      readiness,
      200,
      { status: 'ok', info: { mongodb: { status: 'up' }, rabbitmq: { status: 'up' } } },
    ],
    [
      'the broker is down: it can still accept',
      { ...readiness, broker: () => false },
      200,
      { status: 'degraded', info: { rabbitmq: { status: 'degraded' } } },
    ],
    [
      'the database is down: it cannot',
      { ...readiness, database: () => Promise.reject(new Error('no')) },
      503,
      { status: 'error', error: { mongodb: { status: 'down' } } },
    ],
  ])('tells whether it is ready: %s', async (_what, state, status, body) => {
    const api = await testApi({}, { readiness: state });
    expect(await api.ask({ method: 'GET', path: '/health/ready', key: null })).toMatchObject({ status, body });
    await api.app.close();
  });
});

describe('metrics', () => {
  it('count requests by operation and status', async () => {
    const api = await testApi();
    await api.ask({ method: 'POST', path: '/api/notifications', body: notification });
    await api.ask({ method: 'GET', path: '/api/notifications/1' });
    const { status, headers, text } = await api.ask({ method: 'GET', path: '/metrics', key: null });
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain');
    expect(text).toContain('carillon_http_request_seconds_count{operation="createNotification",status="202"} 1');
    expect(text).toContain('carillon_http_request_seconds_count{operation="getNotification",status="404"} 1');
    await api.app.close();
  });
});

describe('docs', () => {
  it('are served to programs and to people, and need no key', async () => {
    const api = await testApi();
    const json = await api.ask({ method: 'GET', path: '/docs/json', key: null });
    expect(json).toMatchObject({ status: 200, body: { openapi: '3.1.1' } });
    const page = await api.ask({ method: 'GET', path: '/docs', key: null });
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(page.text).toContain('id="createNotification"');
    expect(page.text).not.toContain('<script');
    await api.app.close();
  });
});

describe('requests', () => {
  it('keep a sound X-Request-Id, and get one where there is none', async () => {
    const api = await testApi();
    const idOf = async (given?: string): Promise<unknown> => {
      const headers = given === undefined ? {} : { 'x-request-id': given };
      return (await api.ask({ method: 'GET', path: '/api/keys', headers })).headers['x-request-id'];
    };
    expect(await idOf('order-4711.a_B')).toBe('order-4711.a_B');
    expect(await idOf('x y')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf('x'.repeat(65))).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf()).toMatch(/^[0-9a-f-]{36}$/);
    await api.app.close();
  });

  it('are let in by X-API-Key too, and by a bearer token in any case', async () => {
    const api = await testApi();
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await api.ask({ method: 'GET', path: '/api/keys', key: null, headers })).status;
    expect(await ask({ 'x-api-key': api.key })).toBe(200);
    expect(await ask({ authorization: `bearer ${api.key}` })).toBe(200);
    expect(await ask({ authorization: 'Basic eDp5', 'x-api-key': api.key })).toBe(200);
    expect(await ask({ authorization: `Bearer ${api.key}x` })).toBe(401);
    expect(await ask({ authorization: 'Bearer' })).toBe(401);
    await api.app.close();
  });

  it('pass the traceparent of the caller on, if it is one', async () => {
    const seen: (string | null)[] = [];
    const api = await testApi(
      {},
      {
        door: {
          accept: (_caller, { traceparent }) => {
            seen.push(traceparent);
            return Promise.reject(new Error('enough'));
          },
        },
      },
    );
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    for (const traceparent of [trace, '00-0-0-0'])
      await api.ask({ method: 'POST', path: '/api/notifications', body: notification, headers: { traceparent } });
    expect(seen).toEqual([trace, null]);
    await api.app.close();
  });

  it('of one key are limited, each key by itself', async () => {
    const api = await testApi({ KEY_RATE_PER_MINUTE: 2 });
    const other = await api.issue();
    const ask = (key: string) => api.ask({ method: 'GET', path: '/api/keys', key });
    expect((await ask(api.key)).status).toBe(200);
    expect((await ask(api.key)).status).toBe(200);
    const refused = await ask(api.key);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', scope: 'key' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(other.text)).status).toBe(200);
    for (let count = 0; count < 5; count += 1)
      expect((await api.ask({ method: 'GET', path: '/health', key: null })).status).toBe(200);
    await api.app.close();
  });
});

describe('other origins', () => {
  const preflight = { origin: 'https://app.example.org', 'access-control-request-method': 'POST' };

  it('are refused unless named', async () => {
    const api = await testApi();
    const answer = await api.ask({ method: 'OPTIONS', path: '/api/keys', key: null, headers: preflight });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    await api.app.close();
  });

  it('are let in when named', async () => {
    const api = await testApi({ CORS_ORIGINS: ['https://app.example.org'] });
    const answer = await api.ask({ method: 'OPTIONS', path: '/api/keys', key: null, headers: preflight });
    expect(answer).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': 'https://app.example.org' },
    });
    const stranger = await api.ask({ method: 'GET', path: '/health', headers: { origin: 'https://evil.example' } });
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
    await api.app.close();
  });
});
