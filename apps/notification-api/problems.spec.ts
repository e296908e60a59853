import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { IdempotencyKeyInUse, Unavailable } from '#domain/errors';
import { ProblemBody } from '#contracts/http/problem';
import { type Answered, type Asked, testApi, type TestApi } from './spec-api.js';
import { KNOWN_USER } from './spec-parts.js';

const good = { serviceName: 'diabetes', userId: KNOWN_USER, body: 'Time for your dose' };
const UNKNOWN = 'f'.repeat(24);

describe('problems', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi();
  });
  afterAll(() => api.app.close());

  const create = (body: unknown, more: Partial<Asked> = {}): Promise<Answered> =>
    api.ask({ method: 'POST', path: '/api/notifications', body, ...more });
  const get = (path: string, more: Partial<Asked> = {}): Promise<Answered> => api.ask({ method: 'GET', path, ...more });
  const raw = async (payload: string | Buffer, type = 'application/json', url = '/api/notifications') => {
    const answer = await api.app.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${api.key}`, 'content-type': type },
      payload,
    });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };

  it('carry everything that the contract names', async () => {
    const answer = await create({ ...good, to: 7 }, { headers: { 'x-request-id': 'mine.1' } });
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers['x-request-id']).toBe('mine.1');
    expect(ProblemBody.strict().parse(answer.body)).toEqual({
      type: '/problems/validation-failed',
      title: 'Some fields are invalid',
      status: 422,
      code: 'validation_failed',
      detail: '1 field is invalid',
      instance: '/api/notifications',
      requestId: 'mine.1',
      errors: [{ in: 'body', field: '/to', code: 'invalid_type', message: 'has the wrong type or form' }],
    });
  });

  it.each([
    ['a missing field', { ...good, body: undefined }, '/body', 'required'],
    ['an unknown field', { ...good, surprise: 'secret-value' }, '/surprise', 'unknown_field'],
    ['a wrong type', { ...good, draft: 'yes' }, '/draft', 'invalid_type'],
    ['a value that is none of the allowed', { ...good, channel: 'pigeon' }, '/channel', 'invalid_value'],
    ['text that is too long', { ...good, title: 'x'.repeat(256) }, '/title', 'too_long'],
    ['text that is too short', { ...good, body: '' }, '/body', 'too_short'],
    ['a time without offset', { ...good, sendAt: '2026-11-21T08:00:00' }, '/sendAt', 'invalid_format'],
    ['a bad address', { ...good, channel: 'email', title: 'Hi', to: ['nobody'] }, '/to/0', 'invalid_email'],
    ['no recipient', { serviceName: 'diabetes', body: 'x' }, '/userId', 'invalid'],
  ])('tell the field and the reason of %s, and no value', async (_what, body, field, code) => {
    const answer = await create(body);
    expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    expect(answer.body['errors']).toContainEqual(expect.objectContaining({ in: 'body', field, code }));
    expect(answer.text).not.toContain('secret-value');
    expect(answer.text).not.toContain('pigeon');
  });

  it('refuse a body that is missing or no object', async () => {
    expect((await create(undefined)).body).toMatchObject({ code: 'validation_failed', errors: [{ field: '' }] });
    expect((await raw('')).body).toMatchObject({ code: 'validation_failed', errors: [{ field: '' }] });
    expect((await raw('[]')).body).toMatchObject({ code: 'validation_failed', errors: [{ field: '' }] });
    expect((await raw('null', 'application/json', `/api/notifications/${UNKNOWN}/cancel`)).status).toBe(422);
  });

  it.each(['{"a":', '{"__proto__":{"x":1}}', `${'['.repeat(100_000)}${']'.repeat(100_000)}`])(
    'answer 400 to what is not readable JSON',
    async (text) => {
      expect(await raw(text)).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
    },
  );

  it('answer 415 to other content, and 413 to more than a call takes', async () => {
    expect(await raw('{}', 'text/plain')).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    const large = JSON.stringify({ ...good, body: 'x'.repeat(1024 * 1024) });
    expect(await raw(large)).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
    expect((await raw(large, 'application/json', '/api/notifications/bulk')).status).toBe(422);
  });

  it('take a JSON type with parameters', async () => {
    expect((await raw(JSON.stringify(good), 'application/json; charset=utf-8')).status).toBe(202);
  });

  it.each([
    ['?limit=0', 'limit', 'too_small'],
    ['?limit=many', 'limit', 'invalid_format'],
    ['?limit=1&limit=2', 'limit', 'invalid_type'],
    ['?colour=red', 'colour', 'unknown_field'],
    ['?state=asleep', 'state', 'invalid_type'],
    ['?createdFrom=yesterday', 'createdFrom', 'invalid_format'],
  ])('answer 400 to the query %s', async (query, field, code) => {
    const answer = await get(`/api/notifications${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_query' } });
    expect(answer.body['errors']).toEqual([expect.objectContaining({ in: 'query', field, code })]);
  });

  it('answer 400 to a cursor that is not of this list', async () => {
    for (let count = 0; count < 3; count += 1) await create(good);
    const first = await get('/api/notifications?limit=1');
    const { nextCursor } = first.body['page'] as { nextCursor: string };
    expect((await get(`/api/notifications?limit=1&cursor=${nextCursor}`)).status).toBe(200);
    for (const query of [`cursor=${nextCursor}&status=sent`, 'cursor=nonsense', `cursor=${nextCursor}x`])
      expect(await get(`/api/notifications?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_cursor', errors: [{ in: 'query', field: 'cursor' }] },
      });
  });

  it('answer 400 to a header that is invalid', async () => {
    for (const key of ['with space', 'x'.repeat(256), 'naïve'])
      expect(await create(good, { headers: { 'idempotency-key': key } })).toMatchObject({
        status: 400,
        body: { code: 'invalid_header', errors: [{ in: 'header', field: 'Idempotency-Key', code: 'invalid_format' }] },
      });
  });

  it('answer 404 to malformed and unknown ids, unknown paths and what no router reads', async () => {
    for (const path of ['/api/notifications/7', `/api/notifications/${UNKNOWN}`, '/api/nothing', '/api/bulks/%zz', '/'])
      expect(await get(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await get(`/api/notifications/${'a'.repeat(600)}`)).status).toBe(404);
    expect((await get('/api/nothing', { key: null })).status).toBe(404);
    expect((await get('/api/bulks/%zz')).headers['x-request-id']).toBeDefined();
  });

  it('answer 404 for what is in a service that the key may not use, and 403 when the request names one', async () => {
    const { body } = await create(good);
    const { text } = await api.issue({ services: ['wellness'] });
    expect((await get(`/api/notifications/${String(body['id'])}`, { key: text })).status).toBe(404);
    expect((await get('/api/services/diabetes/recipients/p-1', { key: text })).status).toBe(404);
    for (const path of ['/api/notifications?serviceName=diabetes', '/api/notifications/stats?serviceName=diabetes'])
      expect(await get(path, { key: text })).toMatchObject({ status: 403, body: { code: 'service_not_allowed' } });
    expect(await create(good, { key: text })).toMatchObject({ status: 403, body: { code: 'service_not_allowed' } });
  });

  it('answer 405 with the methods that a path knows', async () => {
    const answer = await api.ask({ method: 'PATCH', path: '/api/notifications?x=1', body: {} });
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed', instance: '/api/notifications' } });
    expect(answer.headers['allow']).toBe('GET, HEAD, POST');
    expect((await api.ask({ method: 'OPTIONS', path: '/api/keys' })).headers['allow']).toBe('GET, HEAD, POST');
  });

  it('answer 422 when the recipient has no target', async () => {
    expect(await create({ ...good, userId: 'nobody' })).toMatchObject({ status: 422, body: { code: 'no_target' } });
  });

  it('answer 429 with scope and Retry-After when a user has had enough', async () => {
    const to = 'someone@example.org';
    const body = { serviceName: 'test', channel: 'email', title: 'Hi', body: 'x', to };
    for (let count = 0; count < 10; count += 1) expect((await create(body)).status).toBe(202);
    const answer = await create(body);
    expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited', scope: 'user' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('answer 503 with Retry-After when the database does not answer', async () => {
    api.store.down = true;
    const answer = await create(good);
    api.store.down = false;
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' }, headers: { 'retry-after': '2' } });
  });
});

describe('unexpected errors', () => {
  it('say nothing of themselves, and are logged', async () => {
    const error = jest.fn();
    const log = { info: jest.fn(), warn: jest.fn(), error };
    const api = await testApi(
      {},
      { log, door: { accept: () => Promise.reject(new Error('the password is hunter2')) } },
    );
    const answer = await api.ask({ method: 'POST', path: '/api/notifications', body: good });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(answer.text).not.toContain('hunter2');
    expect(error).toHaveBeenCalledTimes(1);
    await api.app.close();
  });

  it.each([
    [new Unavailable('the database'), 503, '2'],
    [new IdempotencyKeyInUse(), 409, '1'],
  ])('that callers can wait for say how long', async (thrown, status, seconds) => {
    const api = await testApi({}, { door: { accept: () => Promise.reject(thrown) } });
    const answer = await api.ask({ method: 'POST', path: '/api/notifications', body: good });
    expect(answer).toMatchObject({ status, body: { code: thrown.code }, headers: { 'retry-after': seconds } });
    await api.app.close();
  });
});
