import { Agent } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, deleteApp, initializeApp } from 'firebase-admin/app';
import { type Message, type Messaging, getMessaging } from 'firebase-admin/messaging';
import { type SandboxClient, startSandboxClient } from '../client.js';

/** Takes every connection that firebase-admin makes to Google to the sandbox. */
class ToSandbox extends Agent {
  constructor(private readonly port: number) {
    super({ keepAlive: true });
  }
  override createConnection(): Duplex {
    return connect(this.port, '127.0.0.1');
  }
}

let sandbox: SandboxClient;
let app: App;
let agent: ToSandbox;
let messaging: Messaging;

const message = (deliveryId: string, token = 'token-1'): Message => ({
  token,
  notification: { title: 'Insulin', body: 'Time for your dose' },
  data: { notificationId: deliveryId.replace(/-\d+$/, ''), deliveryId },
});
const setFaults = (...faults: object[]): Promise<unknown> =>
  sandbox.call('/faults/push', { method: 'PUT', body: faults });
/** The code that firebase-admin makes of it. */
const codeOf = (sent: Promise<unknown>): Promise<unknown> =>
  sent.then(
    () => 'sent',
    (error: { code?: string }) => error.code,
  );
const post = (signal: AbortSignal, deliveryId: string): Promise<Response> =>
  fetch(`${sandbox.httpUrl}/v1/projects/demo/messages:send`, {
    method: 'POST',
    headers: { authorization: 'Bearer x' },
    body: JSON.stringify({ message: message(deliveryId) }),
    signal,
  });

beforeAll(async () => {
  sandbox = await startSandboxClient();
  agent = new ToSandbox(Number(new URL(sandbox.httpUrl).port));
  const credential = { getAccessToken: () => Promise.resolve({ access_token: 'x', expires_in: 3_600 }) };
  app = initializeApp({ projectId: 'demo', credential, httpAgent: agent }, 'sandbox-spec');
  messaging = getMessaging(app);
  messaging.enableLegacyHttpTransport();
});
afterEach(async () => {
  await sandbox.call('/faults/push', { method: 'DELETE' });
  await sandbox.call('/received', { method: 'DELETE' });
});
afterAll(async () => {
  await deleteApp(app);
  agent.destroy();
  await sandbox.close();
});

describe('FCM', () => {
  it('takes a batch and shows what arrived', async () => {
    const result = await messaging.sendEach([message('n1-1', 'a'), message('n1-2', 'b'), message('n2-1', 'a')]);
    expect(result.successCount).toBe(3);
    expect(result.responses[0]?.messageId).toMatch(/^projects\/demo\/messages\/0:/);
    expect(await sandbox.call('/received?channel=push&notificationId=n2')).toEqual({
      data: [
        {
          sequence: expect.any(Number),
          channel: 'push',
          at: expect.any(String),
          id: result.responses[2]?.messageId,
          deliveryId: 'n2-1',
          notificationId: 'n2',
          target: 'a',
          signature: null,
          title: 'Insulin',
          excerpt: 'Time for your dose',
        },
      ],
    });
    expect(await sandbox.call('/counts')).toMatchObject({
      push: { received: 3, distinctDeliveries: 3, distinctNotifications: 2, redelivered: 0, duplicates: 0 },
    });
  });

  it.each([
    ['UNREGISTERED', 'messaging/registration-token-not-registered'],
    ['INVALID_ARGUMENT', 'messaging/invalid-argument'],
    ['QUOTA_EXCEEDED', 'messaging/message-rate-exceeded'],
    ['INTERNAL', 'messaging/internal-error'],
    ['SENDER_ID_MISMATCH', 'messaging/mismatched-credential'],
    ['THIRD_PARTY_AUTH_ERROR', 'messaging/third-party-auth-error'],
    // The library repeats a 503 by itself, unless it is asked to wait for over a minute.
    ['UNAVAILABLE', 'messaging/server-unavailable'],
  ])('answers %s as FCM does', async (errorCode, code) => {
    await setFaults({ kind: 'status', errorCode, retryAfter: 61 });
    expect(await codeOf(messaging.send(message('n1-1')))).toBe(code);
    expect(await sandbox.call('/counts')).toMatchObject({ push: { received: 0 } });
  });

  it.each([
    [429, 'messaging/message-rate-exceeded'],
    // The library does not tell Google's refusal of a token from one by APNs.
    [401, 'messaging/third-party-auth-error'],
    [502, 'messaging/unknown-error'],
  ])('answers a bare %i', async (status, code) => {
    await setFaults({ kind: 'status', status });
    expect(await codeOf(messaging.send(message('n1-1')))).toBe(code);
  });

  it('says when to come back', async () => {
    await setFaults({ kind: 'status', errorCode: 'QUOTA_EXCEEDED', retryAfter: 7 });
    const response = await post(AbortSignal.timeout(10_000), 'n1-1');
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
  });

  it('knows tokens that are gone, and messages that are wrong', async () => {
    expect(await codeOf(messaging.send(message('n1-1', 'unregistered-7')))).toBe(
      'messaging/registration-token-not-registered',
    );
    const large = { token: 't', data: { text: 'x'.repeat(5_000) } };
    expect(await codeOf(messaging.send(large))).toBe('messaging/invalid-argument');
    const response = await fetch(`${sandbox.httpUrl}/v1/projects/demo/messages:send`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
  });

  it('strikes only the tokens that match', async () => {
    await setFaults({ kind: 'status', status: 404, match: 'bad' });
    const { responses } = await messaging.sendEach([message('n1-1', 'bad'), message('n2-1', 'good')]);
    expect(responses.map(({ success }) => success)).toEqual([false, true]);
  });

  it('resets without recording; the library then sends again', async () => {
    await setFaults({ kind: 'reset', count: 1 });
    expect(await codeOf(messaging.send(message('n1-1')))).toBe('sent');
    expect(await sandbox.call('/counts')).toMatchObject({ push: { received: 1, redelivered: 0 } });
  });

  it('records, then drops; the library then sends again', async () => {
    await setFaults({ kind: 'drop', count: 1 });
    expect(await codeOf(messaging.send(message('n1-1')))).toBe('sent');
    expect(await sandbox.call('/counts')).toMatchObject({ push: { received: 2, redelivered: 1, duplicates: 0 } });
  });

  it('answers late, but records at once', async () => {
    await setFaults({ kind: 'latency', latencyMs: 600_000 });
    const client = new AbortController();
    const sent = post(client.signal, 'n1-1');
    expect(await sandbox.call('/wait?notificationId=n1')).toMatchObject({ arrived: 1 });
    client.abort();
    await expect(sent).rejects.toThrow();
    await setFaults({ kind: 'latency', latencyMs: 1 });
    expect(await codeOf(messaging.send(message('n2-1')))).toBe('sent');
  });

  it('hangs, recorded if asked to', async () => {
    await setFaults({ kind: 'hang', recorded: true, match: 'token-1' });
    const client = new AbortController();
    const sent = post(client.signal, 'n1-1');
    expect(await sandbox.call('/wait?notificationId=n1')).toMatchObject({ arrived: 1 });
    client.abort();
    await expect(sent).rejects.toThrow();
  });

  it('gives out access tokens, or refuses to', async () => {
    expect(await sandbox.call('/oauth/token', { method: 'POST' })).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3_599,
    });
    await setFaults({ kind: 'status', status: 401, stage: 'auth' });
    expect(await sandbox.call('/oauth/token', { method: 'POST' })).toMatchObject({
      error: { status: 'UNAUTHENTICATED' },
    });
    expect(await codeOf(messaging.send(message('n1-1')))).toBe('sent');
  });
});
