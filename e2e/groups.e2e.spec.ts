import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GroupBody } from '#contracts/http/groups';
import type { NotificationBody } from '#contracts/http/notification';
import { type Answer, type House, received, send, startHouse, until } from '#testing/house';

const PUSH = 'device-token-0123456789-0123456789';

/** One call, several channels: all of them, or the first that arrives. */
describe('a group', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({
      gateways: 2,
      dispatchers: 2,
      schedulers: 2,
      env: { USER_LIMIT_PER_MINUTE: '4', FALLBACKS_EVERY_S: '1' },
    });
  }, 120_000);
  afterAll(() => house.stop(), 60_000);

  let users = 0;
  const asked = (over: Record<string, unknown> = {}): Record<string, unknown> => {
    users += 1;
    return {
      serviceName: 'diabetes',
      userId: `g-${users}`,
      channels: ['push', 'email'],
      to: { push: `${PUSH}-${users}`, email: `g-${users}@example.org` },
      title: 'Insulin',
      body: 'Time for your 8:00 dose',
      ...over,
    };
  };
  const ask = (body: unknown, headers: Record<string, string> = {}, gateway = 0): Promise<Answer<GroupBody>> =>
    house.call('POST', '/api/groups', { body, headers, gateway }) as never;
  const accepted = async (over: Record<string, unknown> = {}): Promise<GroupBody> => {
    const { status, body } = await ask(asked(over));
    expect([status, body]).toEqual([202, expect.objectContaining({ status: 'pending', final: false })]);
    return body;
  };
  const shown = async (id: string, isWanted: (group: GroupBody) => boolean): Promise<GroupBody> => {
    for (;;) {
      const { body } = await house.call('GET', `/api/groups/${id}`, { gateway: 1 });
      const group = body as unknown as GroupBody;
      if (isWanted(group)) return group;
      await received(house, 'count=1000000000&timeoutMs=50');
    }
  };
  const over = (id: string): Promise<GroupBody> => shown(id, ({ final }) => final);
  const states = ({ notifications }: GroupBody): string[] =>
    notifications.map(({ channel, state }) => `${channel} ${state}`);
  const reasons = (notification: NotificationBody | undefined): (string | null)[] =>
    (notification?.history ?? []).filter(({ actor }) => actor === 'scheduler').map(({ reason }) => reason);
  const arrived = async (group: GroupBody): Promise<string[]> => {
    const all = await Promise.all(
      group.notifications.map(async ({ id, channel }) => {
        const response = await fetch(`${house.sandbox.url}/received?notificationId=${id}`);
        const { data } = (await response.json()) as { data: unknown[] };
        return data.map(() => channel);
      }),
    );
    return all.flat();
  };
  const fault = async (channel: string, faults: unknown[]): Promise<void> => {
    const put = { method: 'PUT', body: JSON.stringify(faults) };
    expect((await fetch(`${house.sandbox.url}/faults/${channel}`, put)).ok).toBe(true);
  };

  it('for all goes by every channel, each with its own result', async () => {
    const group = await accepted({ overrides: { email: { title: 'Your insulin' } }, reference: 'rx-1' });
    expect(group).toMatchObject({ mode: 'all', skipped: [], fallbackAfterSeconds: null });
    const [push, email] = group.notifications;
    expect([push?.title, email?.title]).toEqual(['Insulin', 'Your insulin']);
    for (const one of group.notifications) expect(one).toMatchObject({ groupId: group.id, reference: 'rx-1' });
    const ended = await over(group.id);
    expect(ended).toMatchObject({ status: 'sent', notifications: [{ state: 'sent' }, { state: 'sent' }] });
    expect((await arrived(ended)).sort()).toEqual(['email', 'push']);
    const listed = await house.call('GET', `/api/notifications?groupId=${group.id}`);
    expect(listed.body['data']).toHaveLength(2);
  });

  it('answers a repeated key with the same group, from either gateway, however far it has come', async () => {
    const body = asked({ mode: 'fallback' });
    const headers = { 'idempotency-key': 'group-1' };
    const [first, second] = await Promise.all([ask(body, headers), ask(body, headers, 1)]);
    expect(second.body).toEqual(first.body);
    expect([first, second].map((one) => one.headers.get('idempotent-replayed')).sort()).toEqual([null, 'true']);
    await over(first.body.id);
    expect((await ask(body, headers)).body).toEqual(first.body);
    expect(await ask({ ...body, body: 'Else' }, headers)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    const all = await house.call('GET', `/api/notifications?userId=${String(body['userId'])}`);
    expect(all.body['data']).toHaveLength(2);
  });

  it('is refused as a whole, naming channel and field, and leaves nothing behind', async () => {
    const body = asked({ channels: ['push', 'sms', 'email'], title: undefined });
    expect(await ask({ ...body, to: { sms: '12', email: 'a@example.org' } })).toMatchObject({
      status: 422,
      body: {
        errors: [
          { field: '/to/sms', code: 'invalid_phone_number', message: expect.stringContaining('for sms') as unknown },
          { field: '/title', code: 'title_required', message: expect.stringContaining('for email') as unknown },
        ],
      },
    });
    const limited = asked({
      channels: ['push', 'email', 'webhook'],
      to: { webhook: `${house.sandbox.url}/webhook/g` },
    });
    expect(await ask(limited)).toMatchObject({ status: 422, body: { code: 'no_target' } });
    const devices = `/api/services/diabetes/recipients/${String(limited['userId'])}`;
    await house.call('PUT', devices, { body: { email: 'g@example.org' } });
    await house.call('POST', `${devices}/devices`, { body: { token: PUSH, platform: 'web' } });
    // All within one minute: wait for the next one if this one is about to end.
    while (Date.now() % 60_000 > 50_000) await received(house, 'count=1000000000&timeoutMs=1000');
    expect((await ask(limited)).status).toBe(202);
    expect(await ask(limited)).toMatchObject({ status: 429, body: { code: 'rate_limited', scope: 'user' } });
    const all = await house.call('GET', `/api/notifications?userId=${String(limited['userId'])}`);
    expect(all.body['data']).toHaveLength(3);
    expect((await house.call('GET', `/api/groups/${'a'.repeat(24)}`)).body['code']).toBe('not_found');
  });

  it('with fallback sends by the first alone, and says why the others were not needed', async () => {
    const group = await accepted({ mode: 'fallback' });
    expect(group.notifications.map(({ waiting }) => waiting)).toEqual([null, { reason: 'fallback', until: null }]);
    const ended = await over(group.id);
    expect(ended.status).toBe('sent');
    expect(states(ended)).toEqual(['push sent', 'email cancelled']);
    expect(reasons(ended.notifications[1])).toEqual(['not_needed']);
    expect(await arrived(ended)).toEqual(['push']);
  });

  it('with fallback goes on when a channel fails for good, and does not come back to it', async () => {
    await fault('push', [{ kind: 'status', errorCode: 'UNREGISTERED', match: 'gone-device' }]);
    const group = await accepted({
      mode: 'fallback',
      channels: ['push', 'slack', 'email'],
      to: { push: 'gone-device-token-0123456789', email: 'after@example.org' },
    });
    // Nowhere to reach this user by Slack.
    expect(group.skipped).toEqual(['slack']);
    const ended = await over(group.id);
    expect(ended.status).toBe('sent');
    expect(states(ended)).toEqual(['push failed', 'email sent']);
    expect(reasons(ended.notifications[1])).toEqual(['fallback_failed']);
    expect(await arrived(ended)).toContain('email');
    await fault('push', []);
  });

  it('with fallback goes on when nobody reports in time that it arrived', async () => {
    const group = await accepted({ mode: 'fallback', fallbackAfterSeconds: 1 });
    const ended = await over(group.id);
    expect(states(ended)).toEqual(['push sent', 'email sent']);
    expect(reasons(ended.notifications[1])).toEqual(['fallback_not_delivered']);
    const [push, email] = ended.notifications;
    expect(Date.parse(email?.sentAt ?? '') - Date.parse(push?.sentAt ?? '')).toBeGreaterThanOrEqual(1_000);
  });

  it('with fallback ends once somebody has read it', async () => {
    const group = await accepted({ mode: 'fallback', fallbackAfterSeconds: 3_600 });
    const push = group.notifications[0]?.id ?? '';
    await until(house, push, ({ state }) => state === 'sent');
    expect((await shown(group.id, () => true)).final).toBe(false);
    await house.call('POST', `/api/notifications/${push}/read`);
    const ended = await over(group.id);
    expect(states(ended)).toEqual(['push sent', 'email cancelled']);
    expect(await arrived(ended)).toEqual(['push']);
  });

  it('with fallback gives up a channel that cannot even send in time', async () => {
    await fault('push', [{ kind: 'status', status: 503 }]);
    const ended = await over((await accepted({ mode: 'fallback', fallbackAfterSeconds: 1 })).id);
    await fault('push', []);
    expect(states(ended)).toEqual(['push cancelled', 'email sent']);
    expect(reasons(ended.notifications[0])).toEqual(['not_sent_in_time']);
    // Taken back while it waited to be tried again: not sent by two channels.
    expect(await arrived(ended)).toEqual(['email']);
  });

  it('of drafts is sent as far as it was approved', async () => {
    const group = await accepted({ mode: 'fallback', draft: true });
    const [push, email] = group.notifications.map(({ id }) => id) as [string, string];
    const approve = (id: string): Promise<Answer> => house.call('POST', `/api/notifications/${id}/approve`);
    expect((await approve(email)).body).toMatchObject({ state: 'approved', waiting: { reason: 'fallback' } });
    expect((await house.call('POST', `/api/notifications/${push}/reject`, { body: { reason: 'No' } })).status).toBe(
      200,
    );
    const ended = await over(group.id);
    expect(states(ended)).toEqual(['push rejected', 'email cancelled']);
    expect(reasons(ended.notifications[1])).toEqual(['group_ended']);
    expect(ended.status).toBe('cancelled');
  });

  it('in a bulk is one for each recipient, and the bulk ends with the last of them', async () => {
    const recipients = Array.from({ length: 300 }, (_, index) => ({
      userId: `campaign-${index}`,
      to: { email: `campaign-${index}@example.org`, ...(index % 2 === 0 ? { push: `${PUSH}-c${index}` } : {}) },
    }));
    const content = { channels: ['push', 'email'], mode: 'fallback', title: 'Clinic', body: 'Closed on Monday' };
    const answer = await house.call('POST', '/api/notifications/bulk', {
      body: { serviceName: 'wellness', content, recipients },
    });
    expect(answer).toMatchObject({ status: 202, body: { counts: { total: 300, accepted: 300, notifications: 450 } } });
    const id = String(answer.body['id']);
    const counts = async (): Promise<Record<string, unknown>> => (await house.call('GET', `/api/bulks/${id}`)).body;
    while ((await counts())['status'] !== 'completed') await received(house, 'count=1000000000&timeoutMs=50');
    expect((await counts())['counts']).toMatchObject({ pending: 0, sent: 300, failed: 0, cancelled: 150 });
    const { body } = await house.call('GET', `/api/notifications?bulkId=${id}&limit=1&status=cancelled`);
    const [item] = body['data'] as NotificationBody[];
    expect(states(await over(item?.groupId ?? ''))).toEqual(['push sent', 'email cancelled']);
  });

  it('with fallback survives that every process dies while it waits', async () => {
    await fault('push', [{ kind: 'status', errorCode: 'UNREGISTERED', match: 'crash-device' }]);
    const groups: GroupBody[] = [];
    for (let index = 0; index < 10; index += 1)
      groups.push(
        await accepted({
          mode: 'fallback',
          to: { push: `crash-device-${index}-0123456789`, email: `crash-${index}@example.org` },
        }),
      );
    await Promise.all([...house.schedulers, ...house.dispatchers].map((running) => running.kill()));
    await Promise.all([house.start('dispatcher', 'dispatcher-again'), house.start('scheduler', 'scheduler-again')]);
    for (const { id } of groups) {
      const ended = await over(id);
      expect(states(ended)).toEqual(['push failed', 'email sent']);
      expect(reasons(ended.notifications[1])).toEqual(['fallback_failed']);
      expect((await arrived(ended)).filter((channel) => channel === 'email')).toEqual(['email']);
    }
    await fault('push', []);
    // And what is no group goes on as before.
    const { id } = await send(house, {
      serviceName: 'diabetes',
      userId: 'g-alone',
      channel: 'push',
      to: PUSH,
      body: 'x',
    });
    await until(house, id, ({ state }) => state === 'sent');
  }, 120_000);
});
