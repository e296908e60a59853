import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LogLevel, WebClient } from '@slack/web-api';
import { IncomingWebhook } from '@slack/webhook';
import { type SandboxClient, startSandboxClient } from '../client.js';

let sandbox: SandboxClient;

const client = (token = 'xoxb-1'): WebClient =>
  new WebClient(token, {
    slackApiUrl: `${sandbox.httpUrl}/api/`,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: LogLevel.ERROR,
  });
const webhook = (path = '/services/T0/B0/secret'): IncomingWebhook => new IncomingWebhook(`${sandbox.httpUrl}${path}`);
const metadata = {
  event_type: 'carillon_notification',
  event_payload: { notificationId: 'n1', deliveryId: 'n1-1' },
};
const section = (text: string) => ({ type: 'section' as const, text: { type: 'mrkdwn' as const, text } });
const setFaults = (...faults: object[]): Promise<unknown> =>
  sandbox.call('/faults/slack', { method: 'PUT', body: faults });
/** What the library makes of it. */
const problemOf = (sent: Promise<unknown>): Promise<unknown> =>
  sent.then(
    () => 'sent',
    (error: { data?: { error?: string }; retryAfter?: number; statusCode?: number; body?: string; code?: string }) =>
      error.data?.error ??
      error.retryAfter ??
      (error.statusCode === undefined ? error.code : [error.statusCode, error.body]),
  );
const post = (over: object = {}): Promise<unknown> =>
  problemOf(client().apiCall('chat.postMessage', { channel: '#general', text: 'Now', metadata, ...over }));

beforeAll(async () => {
  sandbox = await startSandboxClient();
});
afterEach(async () => {
  await sandbox.call('/faults/slack', { method: 'DELETE' });
  await sandbox.call('/received', { method: 'DELETE' });
});
afterAll(() => sandbox.close());

describe('chat.postMessage', () => {
  it('takes a message and answers as Slack does', async () => {
    const blocks = [
      { type: 'header' as const, text: { type: 'plain_text' as const, text: 'Insulin' } },
      section('Dose'),
    ];
    const answer = await client().chat.postMessage({ channel: '#general', text: 'Now', blocks, metadata });
    expect(answer).toMatchObject({
      ok: true,
      channel: expect.stringMatching(/^C[0-9A-F]{10}$/),
      ts: expect.stringMatching(/^\d{10}\.\d{6}$/),
      message: { type: 'message', text: 'Now', ts: answer.ts, blocks },
    });
    expect(await sandbox.call('/received?channel=slack')).toEqual({
      data: [
        {
          sequence: expect.any(Number),
          channel: 'slack',
          at: expect.any(String),
          id: answer.ts,
          deliveryId: 'n1-1',
          notificationId: 'n1',
          target: '#general',
          signature: null,
          title: 'Insulin',
          excerpt: 'Dose',
        },
      ],
    });
    expect((await client().chat.postMessage({ channel: 'C024BE91L', text: 'Now' })).channel).toBe('C024BE91L');
    expect((await client().chat.postMessage({ channel: 'U024BE91L', text: 'Now' })).channel).toMatch(/^D/);
    expect(await sandbox.call('/counts')).toMatchObject({ slack: { received: 3, unidentified: 2 } });
  });

  it('takes JSON, too', async () => {
    const response = await fetch(`${sandbox.httpUrl}/api/chat.postMessage`, {
      method: 'POST',
      headers: { authorization: 'Bearer xoxb-1', 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ channel: '#general', text: 'Now' }),
    });
    expect(await response.json()).toMatchObject({ ok: true });
  });

  it.each([
    ['channel_not_found', { channel: '' }],
    ['no_text', { text: '' }],
    ['msg_too_long', { text: 'x'.repeat(40_001) }],
    ['invalid_blocks_format', { blocks: 'no list' }],
    ['invalid_metadata_format', { metadata: 'none' }],
    ['invalid_blocks', { blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] }],
    ['invalid_blocks', { blocks: [section('x'.repeat(3_001))] }],
    ['invalid_blocks', { blocks: [{ type: 'section', fields: Array(11).fill(section('x').text) }] }],
    ['invalid_blocks', { blocks: [{ type: 'section' }] }],
    ['invalid_blocks', { blocks: [{ type: 'actions', elements: [{ text: section('x').text }] }] }],
    ['invalid_blocks', { blocks: [{}] }],
  ])('answers %s to what Slack would not take', async (word, over) => {
    expect(await post(over)).toBe(word);
    expect(await sandbox.call('/counts')).toMatchObject({ slack: { received: 0 } });
  });

  it('wants a token', async () => {
    expect(await problemOf(client('nonsense').chat.postMessage({ channel: '#a', text: 'Now' }))).toBe('invalid_auth');
    expect(await sandbox.call('/api/chat.postMessage', { method: 'POST' })).toEqual({ ok: false, error: 'not_authed' });
  });

  it.each([
    [{ errorCode: 'is_archived' }, 'is_archived'],
    [{ errorCode: 'ratelimited', retryAfter: 7 }, 7],
    [{ status: 429, retryAfter: 7 }, 7],
    [{ status: 503 }, [503, '<html><title>Error 503</title></html>']],
    [{ status: 500 }, [500, { ok: false, error: 'internal_error' }]],
  ])('plays %j', async (fault, expected) => {
    await setFaults({ kind: 'status', ...fault });
    expect(await post()).toEqual(expected);
    expect(await sandbox.call('/counts')).toMatchObject({ slack: { received: 0 } });
  });

  it('records, then drops; resets without recording', async () => {
    await setFaults({ kind: 'drop', count: 1 }, { kind: 'reset' });
    expect(await post()).toBe('slack_webapi_request_error');
    expect(await post()).toBe('slack_webapi_request_error');
    expect(await sandbox.call('/counts')).toMatchObject({ slack: { received: 1 } });
  });

  it('refuses a fault that Slack has no word for', async () => {
    expect(await setFaults({ kind: 'status', errorCode: 'UNREGISTERED' })).toMatchObject({
      error: expect.stringContaining('errorCode is a word'),
    });
  });
});

describe('an incoming webhook', () => {
  it('takes a message and says ok', async () => {
    expect(await webhook().send({ text: 'Now', metadata })).toEqual({ text: 'ok' });
    expect(await sandbox.call('/received?channel=slack')).toMatchObject({
      data: [
        { deliveryId: 'n1-1', notificationId: 'n1', target: '/services/T0/B0/secret', title: null, excerpt: 'Now' },
      ],
    });
  });

  it('answers in text what it does not take', async () => {
    expect(await problemOf(webhook('/services/T0/B0').send('Now'))).toEqual([404, 'no_service']);
    expect(await problemOf(webhook().send({}))).toEqual([400, 'no_text']);
    const response = await fetch(`${sandbox.httpUrl}/services/T0/B0/secret`, { method: 'POST', body: 'nonsense' });
    expect([response.status, await response.text()]).toEqual([400, 'invalid_payload']);
  });

  it.each([
    [{ errorCode: 'channel_is_archived' }, [410, 'channel_is_archived']],
    [{ errorCode: 'some_other_word' }, [400, 'some_other_word']],
    [{ status: 429 }, [429, 'rate_limited']],
    [{ status: 502 }, [502, 'error']],
  ])('plays %j', async (fault, expected) => {
    await setFaults({ kind: 'status', match: 'secret', ...fault });
    expect(await problemOf(webhook().send('Now'))).toEqual(expected);
  });
});
