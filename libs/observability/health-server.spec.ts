import { afterEach, describe, expect, it } from '@jest/globals';
import { HealthServer, type ReadinessCheck } from './health-server.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const UP: ReadinessCheck = { name: 'mongodb', check: () => Promise.resolve() };

let server: HealthServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

const listen = async (
  checks: readonly ReadinessCheck[] = [UP],
  metrics = () => Promise.resolve('up 1\n'),
): Promise<string> => {
  server = new HealthServer({
    host: '127.0.0.1',
    port: 0,
    version: '1.2.3',
    checks,
    metrics: { contentType: 'text/plain', metrics },
    now: () => NOW,
    checkTimeoutMs: 20,
  });
  return `http://127.0.0.1:${await server.listen()}`;
};
const get = async (url: string, method = 'GET'): Promise<{ status: number; body: string }> => {
  const response = await fetch(url, { method });
  return { status: response.status, body: await response.text() };
};

describe('the health server', () => {
  it('says that it is there, even when nothing else is', async () => {
    const base = await listen([{ name: 'mongodb', check: () => Promise.reject(new Error('down')) }]);
    expect(await get(`${base}/health?x=1`)).toEqual({
      status: 200,
      body: '{"status":"ok","timestamp":"2026-11-21T08:00:00.000Z","version":"1.2.3"}',
    });
  });

  it.each<[string, ReadinessCheck['check'], number, string]>([
    ['is there', () => Promise.resolve(), 200, 'up'],
    ['refuses', () => Promise.reject(new Error('secret')), 503, 'down'],
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      503,
      'down',
    ],
    ['does not answer', () => new Promise(() => undefined), 503, 'down'],
  ])('is as ready as what it needs: RabbitMQ %s', async (_, check, status, rabbitmq) => {
    const base = await listen([UP, { name: 'rabbitmq', check }]);
    const answer = await get(`${base}/health/ready`);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({
      status: status === 200 ? 'ok' : 'error',
      timestamp: NOW.toISOString(),
      version: '1.2.3',
      details: { mongodb: { status: 'up' }, rabbitmq: { status: rabbitmq } },
    });
  });

  it('shows metrics', async () => {
    expect(await get(`${await listen()}/metrics`)).toEqual({ status: 200, body: 'up 1\n' });
    await server?.close();
    expect((await get(`${await listen([], () => Promise.reject(new Error('no')))}/metrics`)).status).toBe(500);
  });

  it('has nothing else', async () => {
    const base = await listen();
    expect((await get(`${base}/`)).status).toBe(404);
    expect((await get(`${base}/health`, 'POST')).status).toBe(404);
    expect(await get(`${base}/health`, 'HEAD')).toEqual({ status: 200, body: '' });
  });

  it('says when its port is taken, and may be closed twice', async () => {
    const { port } = new URL(await listen());
    const second = new HealthServer({
      host: '127.0.0.1',
      port: Number(port),
      version: '1',
      checks: [],
      metrics: { contentType: 'text/plain', metrics: () => Promise.resolve('') },
      now: () => NOW,
    });
    await expect(second.listen()).rejects.toThrow('EADDRINUSE');
    await second.close();
  });
});
