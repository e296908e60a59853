import { describe, expect, it } from '@jest/globals';
import { createLogger } from '#observability/logging';
import { testApi, type TestApi } from '../spec-api.js';
import { KNOWN_USER } from '../spec-parts.js';

const CALLER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const logged = async (): Promise<TestApi & { lines: () => Record<string, unknown>[]; text: () => string }> => {
  const lines: string[] = [];
  const log = createLogger('notification-api', 'info', { write: (line) => void lines.push(line) });
  const api = await testApi({}, { log });
  const text = (): string => lines.join('');
  return { ...api, text, lines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

const notification = {
  serviceName: 'diabetes',
  userId: KNOWN_USER,
  channel: 'push',
  title: 'secret title',
  body: 'secret body',
  data: { secret: 'secret datum' },
};

describe('the log of requests', () => {
  it('has one line for each, with what identifies it and nothing of what it says', async () => {
    const api = await logged();
    const { body } = await api.ask({
      method: 'POST',
      path: '/api/notifications',
      body: notification,
      headers: { 'x-request-id': 'r-1', traceparent: CALLER },
    });
    expect(api.lines()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        app: 'notification-api',
        pid: process.pid,
        requestId: 'r-1',
        operation: 'createNotification',
        method: 'POST',
        route: '/api/notifications',
        status: 202,
        durationMs: expect.any(Number),
        actor: `key:${api.keyId}`,
        notificationId: body['id'],
        traceId: CALLER.slice(3, 35),
        msg: 'request',
      },
    ]);
    expect(api.text()).not.toContain('secret');
    expect(api.text()).not.toContain(api.key);
    await api.app.close();
  });

  it('names routes by their pattern, and has refusals and unknown paths too', async () => {
    const api = await logged();
    const id = 'a'.repeat(24);
    await api.ask({ method: 'GET', path: `/api/notifications/${id}?secret=1` });
    await api.ask({ method: 'GET', path: `/api/notifications/${id}`, key: null });
    await api.ask({ method: 'DELETE', path: '/api/keys/secret' });
    await api.ask({ method: 'GET', path: '/secret' });
    expect(api.lines()).toEqual([
      expect.objectContaining({ route: '/api/notifications/:id', status: 404, notificationId: id }),
      expect.not.objectContaining({ actor: expect.anything() as unknown }),
      expect.objectContaining({ method: 'DELETE', route: '/api/keys/:id', operation: 'revokeKey' }),
      expect.objectContaining({ method: 'GET', status: 404 }),
    ]);
    expect(api.lines()[1]).toMatchObject({ status: 401 });
    expect(api.text()).not.toContain('secret');
    await api.app.close();
  });

  it('leaves out probes', async () => {
    const api = await logged();
    for (const path of ['/health', '/health/ready', '/metrics']) await api.ask({ method: 'GET', path, key: null });
    expect(api.lines()).toEqual([]);
    await api.app.close();
  });
});
