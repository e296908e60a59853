import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { type SandboxClient, startSandboxClient } from '../client.js';

const SECRET = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
const NEXT_SECRET = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;
const STRANGE_SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;

let sandbox: SandboxClient;

const post = (deliveryId: string, secret: string, options: RequestInit & { age?: number } = {}): Promise<Response> => {
  const notificationId = deliveryId.replace(/-\d+$/, '');
  const data = { notificationId, title: 'Xin chào', body: 'Time for your dose' };
  const body = JSON.stringify({ type: 'notification.reminder', timestamp: '2026-11-21T08:00:00.000Z', data });
  const at = new Date(Date.now() - (options.age ?? 0));
  const headers = {
    'content-type': 'application/json',
    'webhook-id': deliveryId,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': `v1,AAAA ${new Webhook(secret).sign(deliveryId, at, body)}`,
  };
  return fetch(`${sandbox.httpUrl}/webhook/clinic?a=1`, { method: 'POST', headers, body, ...options });
};
const setFaults = (...faults: object[]): Promise<unknown> =>
  sandbox.call('/faults/webhook', { method: 'PUT', body: faults });
const received = async (): Promise<Record<string, unknown>[]> =>
  ((await sandbox.call('/received')) as { data: Record<string, unknown>[] }).data;

beforeAll(async () => {
  sandbox = await startSandboxClient({ SANDBOX_WEBHOOK_SECRETS: `${SECRET}, ${NEXT_SECRET}` });
});
afterEach(async () => {
  await sandbox.call('/faults/webhook', { method: 'DELETE' });
  await sandbox.call('/received', { method: 'DELETE' });
});
afterAll(() => sandbox.close());

describe('webhook endpoint', () => {
  it('takes a signed request', async () => {
    const response = await post('n1-1', SECRET);
    expect(response.status).toBe(200);
    expect(await received()).toEqual([
      {
        sequence: expect.any(Number),
        channel: 'webhook',
        at: expect.any(String),
        id: ((await response.json()) as { id: string }).id,
        deliveryId: 'n1-1',
        notificationId: 'n1',
        target: '/webhook/clinic?a=1',
        signature: 'valid',
        title: 'Xin chào',
        excerpt: 'Time for your dose',
      },
    ]);
  });

  it('tells signatures apart', async () => {
    await post('n1-1', NEXT_SECRET);
    await post('n2-1', STRANGE_SECRET);
    await post('n3-1', SECRET, { age: 10 * 60_000 });
    await sandbox.call('/webhook/x', { method: 'POST', body: 'no object' });
    expect((await received()).map(({ signature }) => signature)).toEqual(['absent', 'invalid', 'invalid', 'valid']);
  });

  it('says so where it has no secret to check with', async () => {
    const own = sandbox;
    sandbox = await startSandboxClient();
    try {
      await post('n1-1', SECRET);
      expect((await received())[0]).toMatchObject({ signature: 'unchecked' });
    } finally {
      await sandbox.close();
      sandbox = own;
    }
  });

  it.each([410, 429, 500, 503])('refuses with %i', async (status) => {
    await setFaults({ kind: 'status', status, retryAfter: 3 });
    const response = await post('n1-1', SECRET);
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, '3']);
    expect(await received()).toEqual([]);
  });

  it('shows when a redirect was followed', async () => {
    await setFaults({ kind: 'status', status: 307, count: 2 });
    expect((await post('n1-1', SECRET, { redirect: 'manual' })).status).toBe(307);
    expect(await received()).toEqual([]);
    expect((await post('n1-1', SECRET)).status).toBe(200);
    expect(await received()).toMatchObject([{ target: '/webhook/redirected' }]);
  });

  it('resets without recording, and drops after it', async () => {
    await setFaults({ kind: 'reset', count: 1 }, { kind: 'drop', match: 'clinic' });
    await expect(post('n1-1', SECRET)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(await received()).toEqual([]);
    await expect(post('n2-1', SECRET)).rejects.toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
    expect(await received()).toMatchObject([{ deliveryId: 'n2-1' }]);
  });

  it('answers late', async () => {
    await setFaults({ kind: 'latency', latencyMs: 1 });
    expect((await post('n1-1', SECRET)).status).toBe(200);
  });

  it('hangs until the client leaves, unrecorded unless asked to', async () => {
    await setFaults({ kind: 'hang', count: 1 }, { kind: 'hang', recorded: true });
    const client = new AbortController();
    const sent = [post('n1-1', SECRET, { signal: client.signal })];
    // The second is sent once the first has met its fault, so that each has its own.
    while (!JSON.stringify(await sandbox.call('/faults')).includes('"struck":1')) continue;
    sent.push(post('n2-1', SECRET, { signal: client.signal }));
    expect(await sandbox.call('/wait?count=1')).toMatchObject({ arrived: 1 });
    client.abort();
    expect((await Promise.allSettled(sent)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await received()).toMatchObject([{ deliveryId: 'n2-1' }]);
  });
});
