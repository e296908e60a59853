import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { InvalidSettings, parseSettings } from '#config/settings';
import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import { EgressSettings } from '#egress/settings';
import { sendRequest } from '../conformance.js';
import { configureWebhook } from './configure.js';
import { keysOf, parseSigningKeys } from './secrets.js';
import { WebhookSettings } from './settings.js';
import { sign } from './signature.js';

const OLD = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEW = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const OTHER = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

let server: Server;
let url: string;
let last: { request: IncomingMessage; body: string };

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      last = { request, body };
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const send = async (
  over: Partial<SendRequest> = {},
  variables: Record<string, string> = {},
): Promise<Outcome | undefined> => {
  const environment = {
    WEBHOOK_SECRETS: `test=${OLD}|${NEW};*=${OTHER}`,
    EGRESS_ALLOW: 'test=127.0.0.1',
    ...variables,
  };
  const settings = { ...parseSettings(WebhookSettings, environment), ...parseSettings(EgressSettings, environment) };
  const sender = configureWebhook(settings);
  try {
    return (await sender.send([sendRequest({ target: url, ...over })], new AbortController().signal))[0];
  } finally {
    await sender.close();
  }
};

describe('a webhook', () => {
  it('has the body that the contract promises, the same at every attempt', async () => {
    const over = { data: { rx: { id: 9931 } }, reference: 'rx-9931', title: null };
    expect(await send(over)).toEqual({
      kind: 'sent',
      provider: 'webhook',
      providerMessageId: null,
      providerStatus: '200',
    });
    const first = last.body;
    expect(JSON.parse(first)).toEqual({
      type: 'notification.reminder',
      timestamp: '2026-11-21T08:00:00.000Z',
      data: {
        notificationId: '66f1c0de9a1b2c3d4e5f6071',
        serviceName: 'test',
        userId: 'p-1042',
        reference: 'rx-9931',
        title: null,
        body: 'Time for your 8:00 dose',
        data: { rx: { id: 9931 } },
      },
    });
    await send({ ...over, attempt: 2 });
    expect(last.body).toBe(first);
    expect(last.request).toMatchObject({ method: 'POST', url: '/hook?key=1' });
    expect(last.request.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': '66f1c0de9a1b2c3d4e5f6071-1',
    });
  });

  it('is signed so that the old secret and the new one verify it', async () => {
    await send({ body: 'Đã đến giờ tiêm ☎' });
    const headers = last.request.headers as Record<string, string>;
    for (const secret of [OLD, NEW])
      expect(new Webhook(secret).verify(last.body, headers)).toEqual(JSON.parse(last.body));
    expect(() => new Webhook(OTHER).verify(last.body, headers)).toThrow();
    expect(() => new Webhook(OLD).verify(`${last.body} `, headers)).toThrow();
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
  });

  it('signs as the reference library does', () => {
    const at = new Date('2026-11-21T08:00:00Z');
    const ours = sign(
      keysOf(parseSigningKeys(`*=${OLD}`) ?? new Map(), 'test'),
      'd-1',
      String(at.getTime() / 1000),
      '{"a":"é"}',
    );
    expect(ours).toBe(new Webhook(OLD).sign('d-1', at, '{"a":"é"}'));
  });

  it('carries on the trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await send({ traceparent });
    expect(last.request.headers['traceparent']).toBe(traceparent);
    await send();
    expect(last.request.headers).not.toHaveProperty('traceparent');
  });

  it('is not sent unsigned', async () => {
    expect(await send({}, { WEBHOOK_SECRETS: `diabetes=${OLD}` })).toMatchObject({
      kind: 'credentials',
      code: 'no_signing_secret',
      class: 'credentials',
    });
    expect(await send({}, { WEBHOOK_SECRETS: '' })).toMatchObject({ kind: 'credentials', code: 'not_configured' });
  });

  it.each(['', 'test=10.0.0.0/8', 'diabetes=127.0.0.1'])(
    'does not reach a private address where the allow list is %j',
    async (allow) => {
      expect(await send({}, { EGRESS_ALLOW: allow })).toMatchObject({
        kind: 'permanent',
        code: 'address_not_allowed',
        class: 'recipient',
        providerStatus: null,
      });
    },
  );

  it('needs a URL', async () => {
    expect(await send({ target: 'nonsense' })).toMatchObject({ kind: 'permanent', code: 'invalid_url' });
  });

  it('tells what cannot be reached from what is refused', async () => {
    const { port } = new URL(url);
    expect(await send({ target: `https://127.0.0.1:${port}/` })).toMatchObject({
      kind: 'transient',
      code: 'provider_unreachable',
    });
  });
});

describe('secrets of webhooks', () => {
  const keys = parseSigningKeys(` test = ${OLD} | ${NEW} ; * = ${OTHER} ; `) ?? new Map<string, readonly Buffer[]>();

  it('hold for their service, and those of * for services without one', () => {
    expect(keysOf(keys, 'test')).toHaveLength(2);
    expect(keysOf(keys, 'wellness')).toHaveLength(1);
    expect(keysOf(new Map(), 'wellness')).toEqual([]);
  });

  it.each([
    OLD,
    `=${OLD}`,
    'test=',
    'test=secret',
    'test=whsec_',
    'test=whsec_c2hvcnQ=',
    'test=whsec_%%%',
    `test=${OLD}|`,
    `test=${OLD};test=${NEW}`,
    `Test=${OLD}`,
  ])('cannot be read from %j', (text) => {
    expect(parseSigningKeys(text)).toBeNull();
    const parse = (): unknown => parseSettings(WebhookSettings, { WEBHOOK_SECRETS: text });
    expect(parse).toThrow(InvalidSettings);
    expect(parse).toThrow(/^(?!.*MfKQ9r8)[\s\S]*WEBHOOK_SECRETS must be like/);
  });
});
