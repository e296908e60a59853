import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Answered, testApi, type TestApi } from './spec-api.js';
import { KNOWN_USER } from './spec-parts.js';

const good = { serviceName: 'diabetes', userId: KNOWN_USER, body: 'Time for your dose', data: { a: 1, b: 2 } };
const newKey = { owner: 'billing', scopes: ['notifications:send'], services: ['diabetes'] };

describe('Idempotency-Key', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await testApi();
  });
  afterAll(() => api.app.close());

  const post = (path: string, body: unknown, idempotencyKey: string, key?: string): Promise<Answered> =>
    api.ask({
      method: 'POST',
      path,
      body,
      headers: { 'idempotency-key': idempotencyKey },
      ...(key === undefined ? {} : { key }),
    });

  it('makes one notification, and answers the same again wherever it stands by then', async () => {
    const first = await post('/api/notifications', good, 'one');
    const [entry] = [...api.store.documents.values()];
    if (entry === undefined) throw new Error('nothing was written');
    Object.assign(entry.notification, { version: 9, state: 'sent', sentAt: new Date(), updatedAt: new Date() });
    const { data, ...rest } = good;
    const again = await post('/api/notifications', { data: { b: data.b, a: data.a }, ...rest }, 'one');
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(again).toMatchObject({ status: 202, headers: { 'idempotent-replayed': 'true' } });
    expect(again.body).toEqual(first.body);
    expect(api.store.documents.size).toBe(1);
  });

  it('refuses other content under the same key', async () => {
    await post('/api/notifications', good, 'two');
    expect(await post('/api/notifications', { ...good, body: 'other' }, 'two')).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });

  it('makes one bulk', async () => {
    const body = { serviceName: 'diabetes', notifications: [good] };
    const first = await post('/api/notifications/bulk', body, 'three');
    const again = await post('/api/notifications/bulk', body, 'three');
    expect(again.body['id']).toBe(first.body['id']);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });

  it('keeps the answers of other operations, by path and key', async () => {
    const { body } = await post('/api/notifications', good, 'four');
    const { body: other } = await post('/api/notifications', good, 'five');
    const approve = (id: unknown, note = 'x') => post(`/api/notifications/${String(id)}/approve`, { note }, 'same');
    expect((await approve(body['id'])).headers['idempotent-replayed']).toBeUndefined();
    const again = await approve(body['id']);
    expect(again).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true' }, body: { id: body['id'] } });
    expect((await approve(other['id'])).headers['idempotent-replayed']).toBeUndefined();
    expect((await approve(body['id'], 'y')).body).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('frees the key of what was refused', async () => {
    const { body } = await post('/api/notifications', good, 'six');
    const reject = (reason: string) => post(`/api/notifications/${String(body['id'])}/reject`, { reason }, 'seven');
    expect((await reject('a')).status).toBe(409);
    expect((await reject('b')).body).toMatchObject({ code: 'invalid_transition' });
  });

  it('tells who comes while the first is in progress to wait', async () => {
    const [scope] = [...api.idempotency.kept.keys()];
    if (scope === undefined) throw new Error('nothing was kept');
    const kept = api.idempotency.kept.get(scope);
    const begin = jest.spyOn(api.idempotency, 'begin').mockResolvedValueOnce({ kind: 'in_use' });
    const answer = await post('/api/dead-letters/replay', {}, 'eight');
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'idempotency_key_in_use' },
      headers: { 'retry-after': '1' },
    });
    begin.mockRestore();
    expect(kept).toBeDefined();
  });

  it('repeats a new API key to the one who asked for it, and keeps it unreadable', async () => {
    const first = await post('/api/keys', newKey, 'nine');
    const again = await post('/api/keys', newKey, 'nine');
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(JSON.stringify([...api.idempotency.kept.values()])).not.toContain(String(first.body['key']));
    const { text } = await api.issue();
    const another = await post('/api/keys', newKey, 'nine', text);
    expect(another.body['id']).not.toBe(first.body['id']);
  });

  it('answers even when the answer cannot be kept', async () => {
    const complete = jest.spyOn(api.idempotency, 'complete').mockRejectedValueOnce(new Error('gone'));
    expect((await post('/api/dead-letters/replay', {}, 'ten')).status).toBe(202);
    complete.mockRestore();
  });

  it('is nothing to calls that change nothing twice anyway', async () => {
    const answer = await api.ask({
      method: 'GET',
      path: '/api/notifications',
      headers: { 'idempotency-key': 'not valid but not read' },
    });
    expect(answer.status).toBe(200);
  });
});
