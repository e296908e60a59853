import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventStream } from './http/event-stream.js';
import { cookieOf } from './http/inbox-pass.js';
import { testApi, type TestApi } from './spec-api.js';

const USER = { serviceName: 'diabetes', userId: 'p-1042' };

describe('the inbox over HTTP', () => {
  let api: TestApi | null = null;
  afterEach(async () => {
    api?.parts.inbox?.streams.close();
    await api?.app.close();
    api = null;
  });

  it.each([
    ['POST', '/api/inbox/tokens', USER],
    ['GET', '/api/inbox', undefined],
    ['GET', '/api/inbox/stream', undefined],
    ['POST', '/api/inbox/read-all', undefined],
  ] as const)('says that it is not configured: %s %s', async (method, path, body) => {
    api = await testApi({}, { inbox: null });
    expect(await api.ask({ method, path, ...(body === undefined ? {} : { body }) })).toMatchObject({
      status: 501,
      body: { code: 'not_configured', detail: expect.stringContaining('INBOX_TOKEN_SECRET') as unknown },
    });
  });

  it('repeats a token to who asked for it, and keeps none that can be read', async () => {
    api = await testApi();
    const asked = {
      method: 'POST',
      path: '/api/inbox/tokens',
      body: USER,
      headers: { 'idempotency-key': 'k' },
    } as const;
    const first = await api.ask(asked);
    expect((await api.ask(asked)).body).toEqual(first.body);
    expect(api.idempotency.kept.size).toBe(1);
    expect(JSON.stringify([...api.idempotency.kept.values()])).not.toContain(String(first.body['token']));
  });

  it('streams as an answer that nothing may keep or hold back', async () => {
    api = await testApi();
    const { body } = await api.ask({ method: 'POST', path: '/api/inbox/tokens', body: USER });
    const answer = await api.app.inject({
      method: 'GET',
      url: '/api/inbox/stream',
      headers: { authorization: `Bearer ${String(body['token'])}` },
      payloadAsStream: true,
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-request-id': expect.any(String) as unknown,
    });
    const stream = answer.stream();
    const [first] = (await once(stream, 'data')) as [Buffer];
    expect(first.toString()).toContain('event: ready');
    stream.destroy();
  });

  it.each([
    ['carillon_inbox=a.b.c', 'a.b.c'],
    ['other=1; carillon_inbox=a.b.c; more=2', 'a.b.c'],
    ['not_carillon_inbox=1', null],
    ['carillon_inbox', null],
    [undefined, null],
  ])('finds the cookie in %j', (cookie, value) => {
    expect(cookieOf(cookie === undefined ? {} : { cookie }, 'carillon_inbox')).toBe(value);
  });
});

describe('an answer without end', () => {
  it('lets only so much wait for its reader, and then lets go of it', async () => {
    const stream = new EventStream();
    const closed = once(stream, 'close');
    const event = Buffer.alloc(64 * 1024, 'x');
    expect([1, 2, 3, 4].map(() => stream.send(event))).toEqual([true, true, true, true]);
    expect(stream.send(event)).toBe(false);
    await closed;
    expect(stream.send(event)).toBe(false);
  });

  it('ends after what was sent', async () => {
    const stream = new EventStream();
    stream.send(Buffer.from('a'));
    stream.end();
    stream.end();
    expect(Buffer.concat((await stream.toArray()) as Buffer[]).toString()).toBe('a');
  });
});
