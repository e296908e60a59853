import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { twilioSignature } from '#channels/sms/twilio/receipt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from '../client.js';

const ACCOUNT = `AC${'0'.repeat(32)}`;
const DELIVERY = `${'a'.repeat(24)}-1`;

let sandbox: SandboxClient;
beforeAll(async () => {
  sandbox = await startSandboxClient();
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  await sandbox.call('/received', { method: 'DELETE' });
  await setFaults();
});

const setFaults = (...list: object[]): Promise<unknown> => sandbox.call('/faults/sms', { method: 'PUT', body: list });
const counts = async (): Promise<object> => ((await sandbox.call('/counts')) as { sms: object }).sms;

interface Answered {
  status: number;
  retryAfter: string | null;
  body: Record<string, unknown>;
}
const post = async (path: string, authorization: string, body: string, at = sandbox): Promise<Answered> => {
  const response = await fetch(at.httpUrl + path, { method: 'POST', headers: { authorization }, body });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  };
};

const tokenOf = (grant = 'client_credentials', authorization = 'Basic YTpi', at = sandbox): Promise<Answered> =>
  post('/oauth/v3/token', authorization, `grant_type=${grant}`, at);
const bearer = async (): Promise<string> => `Bearer ${String((await tokenOf()).body['access_token'])}`;
const message = {
  address: 'tel:+2250707123456',
  senderAddress: 'tel:+2250000',
  senderName: 'Clinic',
  outboundSMSTextMessage: { message: 'Time for your 8:00 dose' },
  clientCorrelator: DELIVERY,
};
const sendOrange = (authorization: string, over: object = {}, at = sandbox): Promise<Answered> =>
  post(
    '/smsmessaging/v1/outbound/tel%3A%2B2250000/requests',
    authorization,
    JSON.stringify({ outboundSMSMessageRequest: { ...message, ...over } }),
    at,
  );

const basic = `Basic ${Buffer.from(`${ACCOUNT}:token`).toString('base64')}`;
const form = {
  To: '+33612345678',
  From: '+15005550006',
  Body: 'Time for your 8:00 dose & more',
  StatusCallback: `https://notify.example.org/api/receipts/twilio?serviceName=test&deliveryId=${DELIVERY}`,
};
const sendTwilio = (
  over: Partial<typeof form> = {},
  authorization = basic,
  account = ACCOUNT,
  at = sandbox,
): Promise<Answered> =>
  post(
    `/2010-04-01/Accounts/${account}/Messages.json`,
    authorization,
    new URLSearchParams({ ...form, ...over }).toString(),
    at,
  );

describe('receipts', () => {
  interface Posted {
    url: string;
    headers: IncomingHttpHeaders;
    body: string;
  }
  /** What the double posts to a server of ours after one SMS. */
  const posted = async (
    outcome: string,
    sendTo: (at: SandboxClient, url: string) => Promise<unknown>,
  ): Promise<Posted> => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/receipts?of=1`;
    const at = await startSandboxClient({ SANDBOX_SMS_RECEIPTS: outcome, SANDBOX_ORANGE_RECEIPTS_URL: url });
    try {
      const called = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
      await sendTo(at, url);
      const [request, response] = await called;
      const chunks = (await request.toArray()) as Buffer[];
      response.end();
      return { url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    } finally {
      await at.close();
      server.close();
      server.closeAllConnections();
    }
  };

  it('of Orange name the resource, at the one URL', async () => {
    const { body } = await posted('delivered', async (at) => {
      const given = await tokenOf('client_credentials', 'Basic YTpi', at);
      return sendOrange(`Bearer ${String(given.body['access_token'])}`, {}, at);
    });
    expect(JSON.parse(body)).toEqual({
      deliveryInfoNotification: {
        callbackData: expect.stringMatching(/^[0-9a-f-]{36}$/),
        deliveryInfo: { address: 'tel:+2250707123456', deliveryStatus: 'DeliveredToTerminal' },
      },
    });
  });

  it('of Twilio are signed, at the URL of the message', async () => {
    const { url, headers, body } = await posted('failed', (at, callback) =>
      sendTwilio({ StatusCallback: callback }, undefined, undefined, at),
    );
    const fields = Object.fromEntries(new URLSearchParams(body));
    expect(fields).toMatchObject({ MessageStatus: 'undelivered', ErrorCode: '30003', To: '+33612345678' });
    expect(headers['x-twilio-signature']).toBe(twilioSignature('sandbox', url, fields));
  });
});

describe("Orange's API", () => {
  it('gives a token to clients', async () => {
    expect(await tokenOf()).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', access_token: expect.any(String), expires_in: 3600 },
    });
    expect(await tokenOf('client_credentials', 'Bearer x')).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect((await tokenOf('password')).status).toBe(400);
  });

  it('refuses tokens above a rate', async () => {
    const busy = await startSandboxClient({ SANDBOX_SMS_TOKENS_PER_MINUTE: '2' });
    const answers = [];
    for (let asked = 0; asked < 6; asked += 1) answers.push(await tokenOf('client_credentials', 'Basic YTpi', busy));
    await busy.close();
    // A minute may have begun meanwhile.
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(refused[0]?.body).toMatchObject({ error_description: 'Unable to obtain access token' });
  });

  it('takes an SMS, and the same one again as the same', async () => {
    const authorization = await bearer();
    const first = await sendOrange(authorization);
    expect(first).toMatchObject({ status: 201, body: { outboundSMSMessageRequest: { address: [message.address] } } });
    expect(await sendOrange(authorization)).toEqual(first);
    expect(await counts()).toMatchObject({ received: 2, redelivered: 1, duplicates: 0, distinctNotifications: 1 });
    const { data } = (await sandbox.call('/received?channel=sms&limit=1')) as { data: object[] };
    expect(data[0]).toMatchObject({
      deliveryId: DELIVERY,
      notificationId: 'a'.repeat(24),
      target: '+2250707123456',
      title: null,
      excerpt: 'Time for your 8:00 dose',
    });
  });

  it.each([
    ['another token', 'Bearer x', {}, 401, { code: 42 }],
    ['no number', null, { address: 'tel:0707' }, 400, { requestError: { serviceException: { messageId: 'SVC0004' } } }],
    [
      'no text',
      null,
      { outboundSMSTextMessage: {} },
      400,
      { requestError: { serviceException: { messageId: 'SVC0002' } } },
    ],
  ])('refuses %s in its own words', async (_, authorization, over, status, body) => {
    expect(await sendOrange(authorization ?? (await bearer()), over)).toMatchObject({ status, body });
    expect(await counts()).toMatchObject({ received: 0 });
  });

  it('plays faults', async () => {
    const authorization = await bearer();
    await setFaults(
      { kind: 'status', errorCode: 'POL0001', count: 1 },
      { kind: 'status', status: 429, retryAfter: 7, count: 1 },
      { kind: 'status', status: 503, stage: 'auth' },
    );
    expect(await sendOrange(authorization)).toMatchObject({
      status: 403,
      body: { requestError: { policyException: { messageId: 'POL0001' } } },
    });
    expect(await sendOrange(authorization)).toMatchObject({ status: 429, retryAfter: '7', body: { code: 53 } });
    expect((await sendOrange(authorization)).status).toBe(201);
    expect((await tokenOf()).status).toBe(503);
    expect(await sandbox.call('/faults/sms', { method: 'PUT', body: [{ kind: 'status', errorCode: 'X' }] })).toEqual({
      error: 'fault 0: errorCode is not one of Orange or Twilio',
    });
  });
});

describe("Twilio's API", () => {
  it('takes a message, and the same one again as another', async () => {
    const first = await sendTwilio();
    expect(first).toMatchObject({
      status: 201,
      body: { sid: expect.stringMatching(/^SM[0-9a-f]{32}$/), status: 'queued' },
    });
    expect((await sendTwilio()).body['sid']).not.toBe(first.body['sid']);
    expect(await counts()).toMatchObject({ received: 2, redelivered: 1 });
    const { data } = (await sandbox.call('/received?channel=sms&limit=1')) as { data: object[] };
    expect(data[0]).toMatchObject({ deliveryId: DELIVERY, target: '+33612345678', excerpt: form.Body });
    await sendTwilio({ StatusCallback: '' });
    expect(await counts()).toMatchObject({ received: 3, unidentified: 1 });
  });

  it.each([
    [{ To: '0612345678' }, 400, 21211],
    [{ From: '' }, 400, 21603],
    [{ Body: '' }, 400, 21602],
    [{ Body: 'x'.repeat(1601) }, 400, 21617],
  ])('refuses %j by its code', async (over, status, code) => {
    expect(await sendTwilio(over)).toMatchObject({
      status,
      body: { code, status, more_info: `https://www.twilio.com/docs/errors/${code}`, message: expect.any(String) },
    });
    expect(await counts()).toMatchObject({ received: 0 });
  });

  it('knows its account', async () => {
    expect(await sendTwilio({}, 'Basic YTpi')).toMatchObject({ status: 401, body: { code: 20003 } });
    expect(await sendTwilio({}, basic, 'AC1')).toMatchObject({ status: 404, body: { code: 20404 } });
  });

  it('plays faults', async () => {
    await setFaults({ kind: 'status', errorCode: '21610', match: '33612' });
    expect(await sendTwilio()).toMatchObject({ status: 400, body: { code: 21610 } });
    expect((await sendTwilio({ To: '+14155552671' })).status).toBe(201);
    await setFaults({ kind: 'status', status: 429, retryAfter: 3 });
    expect(await sendTwilio()).toMatchObject({ status: 429, retryAfter: '3', body: { code: 20429 } });
  });
});
