import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from './client.js';

let sandbox: SandboxClient;

const post = async (deliveryId: string, notificationId: string): Promise<void> => {
  const headers = { 'webhook-id': deliveryId };
  const body = JSON.stringify({ data: { notificationId } });
  await (await fetch(`${sandbox.httpUrl}/webhook/x`, { method: 'POST', headers, body })).json();
};

beforeAll(async () => {
  sandbox = await startSandboxClient({ SANDBOX_KEEP: '10' });
});
afterEach(() => sandbox.call('/received', { method: 'DELETE' }));
afterAll(() => sandbox.close());

describe('JSON API', () => {
  it('counts each notification and delivery, kept or not', async () => {
    const ids = Array.from({ length: 2_500 }, (_, index) => `n"${index}`);
    for (let start = 0; start < ids.length; start += 100) {
      await Promise.all(ids.slice(start, start + 100).map((id) => post(`${id}-1`, id)));
    }
    await post('n"7-1', 'n"7');
    await post('n"8-2', 'n"8');
    const times = (await sandbox.call('/counts/notifications?channel=webhook')) as Record<string, unknown>;
    expect(Object.keys(times)).toHaveLength(2_500);
    expect(times['n"7']).toEqual({ 'n"7-1': 2 });
    expect(times['n"8']).toEqual({ 'n"8-1': 1, 'n"8-2': 1 });
    expect(await sandbox.call('/counts')).toMatchObject({
      webhook: {
        received: 2_502,
        distinctNotifications: 2_500,
        distinctDeliveries: 2_501,
        redelivered: 1,
        duplicates: 1,
      },
      push: { received: 0 },
    });
    const { data } = (await sandbox.call('/received?limit=100')) as { data: { deliveryId: string }[] };
    expect(data).toHaveLength(10);
    expect(data[0]?.deliveryId).toBe('n"8-2');
  });

  it('answers a wait when the last one arrives', async () => {
    const waited = sandbox.call('/wait?channel=webhook&count=2');
    const waitedForDeliveries = sandbox.call('/wait?count=3&of=deliveries');
    const waitedForOne = sandbox.call('/wait?notificationId=n2&count=2');
    await post('n1-1', 'n1');
    await post('n1-1', 'n1');
    await post('n2-1', 'n2');
    await post('n2-2', 'n2');
    expect(await waited).toMatchObject({ arrived: 2 });
    expect(await waitedForDeliveries).toMatchObject({ arrived: 3 });
    expect(await waitedForOne).toMatchObject({ arrived: 2, counts: { webhook: { received: 4 } } });
  });

  it('gives up a wait at its end', async () => {
    await post('n1-1', 'n1');
    const response = await fetch(`${sandbox.httpUrl}/wait?count=2&timeoutMs=1`);
    expect(response.status).toBe(408);
    expect(await response.json()).toMatchObject({ error: 'not arrived in time', arrived: 1 });
  });

  it('sets, shows and clears faults', async () => {
    const set = { kind: 'latency', latencyMs: 1, share: 0.5 };
    const shown = { ...set, stage: 'send', recorded: false, seen: 0, struck: 0 };
    expect(await sandbox.call('/faults/webhook', { method: 'PUT', body: [set] })).toEqual([shown]);
    await post('n1-1', 'n1');
    await post('n1-1', 'n1');
    expect(await sandbox.call('/faults')).toMatchObject({
      push: [],
      email: [],
      sms: [],
      webhook: [{ ...shown, seen: 2, struck: 1 }],
      slack: [],
    });
    expect(await sandbox.call('/faults/webhook', { method: 'DELETE' })).toEqual([]);
  });

  it.each([
    ['GET', '/nowhere', 404],
    ['GET', '/received/9', 404],
    ['GET', '/webhook/x', 405],
    ['GET', '/wait', 400],
    ['GET', '/counts/notifications', 400],
    ['GET', '/received?limit=0', 400],
    ['PUT', '/faults/pigeon', 404],
    ['PUT', '/faults/push', 400],
  ])('answers %s %s with %i', async (method, path, status) => {
    const response = await fetch(`${sandbox.httpUrl}${path}`, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.any(String) });
  });

  it('refuses a body that is too large', async () => {
    const response = await fetch(`${sandbox.httpUrl}/webhook/x`, { method: 'POST', body: 'x'.repeat(2 * 1024 * 1024) });
    expect(response.status).toBe(413);
  });

  it('has a page and says how it is', async () => {
    expect(await (await fetch(sandbox.httpUrl)).text()).toContain('<title>Carillon sandbox</title>');
    expect(await sandbox.call('/health')).toMatchObject({ status: 'ok', smtpPort: sandbox.smtpPort });
  });
});

describe('life of the sandbox', () => {
  it('ends waits and idle connections when it closes, and closes twice', async () => {
    const other = await startSandboxClient();
    const idle = connect(other.smtpPort, '127.0.0.1');
    await once(idle, 'connect');
    const waited = fetch(`${other.httpUrl}/wait?count=1`);
    // Answered on another connection, after the wait was taken in.
    await other.call('/health');
    const idleEnded = once(idle.resume(), 'close');
    await other.close();
    await idleEnded;
    expect((await waited).status).toBe(408);
    await other.close();
  });

  it('leaves nothing open when a port is taken', async () => {
    const taken = new URL(sandbox.httpUrl).port;
    await expect(startSandboxClient({ SANDBOX_PORT: taken })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(startSandboxClient({ SANDBOX_SMTP_PORT: String(sandbox.smtpPort) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('starts as a program and ends on SIGTERM', async () => {
    const program = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', 'apps/sandbox/main.ts'], {
      env: { ...process.env, NODE_OPTIONS: '', SANDBOX_PORT: '0', SANDBOX_SMTP_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(program, 'exit');
    const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
    const url = /http:\/\/\S+/.exec(line)?.[0];
    expect((await fetch(`${url}/health`)).status).toBe(200);
    program.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
