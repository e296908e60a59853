import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from '../client.js';

describe('the page of an inbox', () => {
  let sandbox: SandboxClient | null = null;
  let gateway: Server | null = null;
  afterEach(async () => {
    await sandbox?.close();
    gateway?.close();
    gateway = sandbox = null;
  });

  /** Answers as a gateway does, whatever it is asked. */
  const answering = async (status: number, body: object): Promise<string> => {
    gateway = createServer((request, response) => {
      asked = { path: request.url, authorization: request.headers.authorization };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    return `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  };
  let asked: { path: string | undefined; authorization: string | undefined } | null = null;
  const session = async (environment: NodeJS.ProcessEnv, body: object): Promise<Response> => {
    sandbox = await startSandboxClient(environment);
    return fetch(`${sandbox.httpUrl}/inbox/session`, { method: 'POST', body: JSON.stringify(body) });
  };
  const USER = { serviceName: 'diabetes', userId: 'demo-ada' };

  it('is there', async () => {
    sandbox = await startSandboxClient();
    const page = await fetch(`${sandbox.httpUrl}/inbox`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('/api/inbox/stream');
  });

  it('gets a token by the key of its backend, in a cookie that no script can read', async () => {
    const api = await answering(201, { token: 'a.b.c', expiresAt: '2026-11-21T08:00:00.000Z' });
    const answer = await session({ SANDBOX_API_URL: api, SANDBOX_API_KEY: 'the-key' }, USER);
    expect(answer.status).toBe(201);
    expect(asked).toEqual({ path: '/api/inbox/tokens', authorization: 'Bearer the-key' });
    expect(answer.headers.get('set-cookie')).toBe(
      'carillon_inbox=a.b.c; Path=/api/inbox; HttpOnly; SameSite=Lax; Expires=Sat, 21 Nov 2026 08:00:00 GMT',
    );
    const text = await answer.text();
    expect(JSON.parse(text)).toEqual({ api, expiresAt: '2026-11-21T08:00:00.000Z' });
    expect(text).not.toContain('a.b.c');
  });

  it('says how to give it a key', async () => {
    const answer = await session({}, USER);
    expect(answer.status).toBe(501);
    expect(await answer.json()).toEqual({ error: expect.stringContaining('SANDBOX_API_KEY') as unknown });
  });

  it('says what the gateway refused, and who was asked wrongly', async () => {
    const api = await answering(501, { code: 'not_configured' });
    const answer = await session({ SANDBOX_API_URL: api, SANDBOX_API_KEY: 'the-key' }, USER);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ answer: { code: 'not_configured' } });
    const url = `${sandbox?.httpUrl ?? ''}/inbox/session`;
    expect((await fetch(url, { method: 'POST', body: '{"userId":"a b"}' })).status).toBe(400);
  });
});
