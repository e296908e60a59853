import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApprovedNotifications, NotificationBody } from '#contracts/http/notification';
import type { Scope } from '#contracts/vocabulary';
import { type Answer, type House, startHouse, until } from '#testing/house';

/** From draft to sent, in a service in which nobody approves what is their own. */
describe('the workflow of a draft', () => {
  let house: House;
  let author: { id: string; key: string };
  let approver: { id: string; key: string };

  const keyOf = async (owner: string, scopes: Scope[]): Promise<{ id: string; key: string }> => {
    const made = await house.call('POST', '/api/keys', { body: { owner, scopes, services: ['diabetes', 'wellness'] } });
    expect(made.status).toBe(201);
    return made.body as { id: string; key: string };
  };
  beforeAll(async () => {
    house = await startHouse({ env: { APPROVAL_BY_OTHERS: 'diabetes', USER_LIMIT_PER_MINUTE: '2' } });
    author = await keyOf('desk', ['notifications:send', 'notifications:read', 'notifications:approve']);
    approver = await keyOf('doctors', ['notifications:approve']);
  }, 120_000);
  afterAll(() => house.stop(), 60_000);

  let users = 0;
  const draft = async (over: Record<string, unknown> = {}): Promise<string> => {
    users += 1;
    const to = `w-${users}@example.org`;
    const body = { serviceName: 'diabetes', channel: 'email', to, title: 'Insulin', body: 'Now', draft: true, ...over };
    const { status, body: made } = await house.call('POST', '/api/notifications', { body, key: author.key });
    expect(status).toBe(202);
    return String(made['id']);
  };
  const act = (id: string, action: string, key: string, body: unknown = {}): Promise<Answer> =>
    house.call('POST', `/api/notifications/${id}/${action}`, { key, body });
  const shown = async (id: string): Promise<NotificationBody> =>
    (await house.call('GET', `/api/notifications/${id}`)).body as unknown as NotificationBody;

  it('is approved by somebody else, and says who did what', async () => {
    const id = await draft();
    expect(await act(id, 'approve', author.key)).toMatchObject({
      status: 403,
      body: { code: 'approver_is_author', guard: 'author' },
    });
    const sender = await keyOf('desk', ['notifications:send']);
    expect(await act(id, 'approve', sender.key)).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect((await shown(id)).state).toBe('draft');
    expect((await act(id, 'approve', approver.key, { note: 'Checked' })).status).toBe(200);
    const sent = await until(house, id, ({ state }) => state === 'sent');
    expect(sent.history.map(({ to, actor, reason }) => [to, actor, reason])).toEqual([
      ['draft', `key:${author.id}`, null],
      ['approved', `key:${approver.id}`, 'Checked'],
      ['sending', 'dispatcher', null],
      ['sent', 'dispatcher', null],
    ]);
  });

  it('may be approved by its author in another service', async () => {
    const id = await draft({ serviceName: 'wellness' });
    expect((await act(id, 'approve', author.key)).status).toBe(200);
  });

  it('is rejected with a reason, and what comes after is refused by the state', async () => {
    const id = await draft();
    expect((await act(id, 'reject', approver.key)).body).toMatchObject({ code: 'validation_failed' });
    await act(id, 'reject', approver.key, { reason: 'Wrong dose' });
    expect((await shown(id)).history.at(-1)).toMatchObject({
      from: 'draft',
      to: 'rejected',
      actor: `key:${approver.id}`,
      reason: 'Wrong dose',
    });
    expect(await act(id, 'approve', approver.key)).toMatchObject({
      status: 409,
      body: { code: 'invalid_transition', guard: 'state', state: 'rejected', allowed: [] },
    });
  });

  it('is approved with many others, each with a result of its own', async () => {
    const userId = 'w-limited';
    const limited = [await draft({ userId }), await draft({ userId }), await draft({ userId })];
    const unreachable = await draft();
    await act(unreachable, 'cancel', author.key);
    const ids = [...limited, unreachable, 'f'.repeat(24)];
    // All within one minute: wait for the next one if this one is about to end.
    while (Date.now() % 60_000 > 50_000) await fetch(`${house.sandbox.url}/wait?count=1000000000&timeoutMs=1000`);
    const answer = await house.call('POST', '/api/notifications/approve', {
      key: approver.key,
      body: { ids, note: 'All of them' },
    });
    expect(answer.status).toBe(200);
    const { approved, refused, results } = answer.body as unknown as ApprovedNotifications;
    expect([approved, refused]).toEqual([2, 3]);
    expect(results.map(({ id }) => id)).toEqual(ids);
    expect(
      results
        .slice(0, 3)
        .map(({ error }) => error?.guard ?? 'approved')
        .sort(),
    ).toEqual(['approved', 'approved', 'limit']);
    expect(results.slice(3).map(({ error }) => [error?.code, error?.guard])).toEqual([
      ['invalid_transition', 'state'],
      ['not_found', null],
    ]);
    for (const { id, notification } of results)
      if (notification !== null) await until(house, id, ({ state }) => state === 'sent');
  });
});
