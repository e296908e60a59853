import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NotificationBody } from '#contracts/http/notification';
import { CHANNELS, type Channel } from '#contracts/vocabulary';
import { type House, received, send, startHouse, until } from '#testing/house';

/** The main job, with every app more than once: whoever answers, the result is the same. */
describe('one notification, from call to provider', () => {
  let house: House;
  let targets: Record<Channel, string>;

  beforeAll(async () => {
    house = await startHouse({ gateways: 2, dispatchers: 3, schedulers: 2, env: { USER_LIMIT_PER_MINUTE: '10' } });
    targets = {
      push: 'device-token-0123456789-0123456789',
      email: 'ada@example.org',
      sms: '+2250707123456',
      webhook: `${house.sandbox.url}/webhook/ada`,
      slack: '#reminders-of-ada',
      'in-app': 'ada',
    };
  }, 120_000);
  afterAll(() => house.stop(), 60_000);

  let users = 0;
  const newUser = (): string => `p-${(users += 1)}`;
  const content = (channel: Channel) => ({
    serviceName: 'diabetes' as const,
    channel,
    to: [targets[channel]],
    title: 'Insulin',
    body: 'Time for your 8:00 dose',
  });
  const fault = async (channel: Channel, faults: unknown[]): Promise<void> => {
    const response = await fetch(`${house.sandbox.url}/faults/${channel}`, {
      method: 'PUT',
      body: JSON.stringify(faults),
    });
    if (!response.ok) throw new Error(await response.text());
  };
  const sent = (id: string): Promise<NotificationBody> => until(house, id, ({ state }) => state === 'sent');

  // What arrives in the inbox is seen in inbox.e2e.spec.ts.
  it.each(CHANNELS.filter((channel) => channel !== 'in-app'))(
    'delivers by %s, once, and shows what became of it',
    async (channel) => {
      const accepted = await send(house, {
        ...content(channel),
        userId: newUser(),
        reference: 'rx-9931',
        data: { rx: '9931' },
      });
      expect(accepted).toMatchObject({
        status: 'pending',
        state: 'approved',
        version: 1,
        deliveries: [],
        reference: 'rx-9931',
      });
      const shown = await sent(accepted.id);
      expect(shown).toMatchObject({
        status: 'sent',
        final: true,
        deliveryCounts: { total: 1, open: 0, sent: 1, failed: 0, uncertain: 0 },
        deliveries: [{ id: `${accepted.id}-1`, status: 'sent', attempts: [{ number: 1, outcome: 'sent' }] }],
        history: [{ to: 'approved' }, { to: 'sending' }, { to: 'sent' }],
      });
      expect(JSON.stringify(shown)).not.toContain(targets[channel]);
      const { data } = (await (await fetch(`${house.sandbox.url}/received?notificationId=${accepted.id}`)).json()) as {
        data: { deliveryId: string; signature: string | null }[];
      };
      expect(data.map(({ deliveryId }) => deliveryId)).toEqual([`${accepted.id}-1`]);
      if (channel === 'webhook') expect(data[0]?.signature).toBe('valid');
    },
  );

  it('answers a repeated key with the first answer, from either gateway', async () => {
    const body = { ...content('email'), userId: newUser() };
    const headers = { 'idempotency-key': 'order-1' };
    const first = await house.call('POST', '/api/notifications', { body, headers });
    await sent(String(first.body['id']));
    const second = await house.call('POST', '/api/notifications', { body, headers, gateway: 1 });
    expect(second.status).toBe(202);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    const other = await house.call('POST', '/api/notifications', { body: { ...body, body: 'Else' }, headers });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('retries what a provider could not take, and sends it once', async () => {
    await fault('webhook', [{ kind: 'status', status: 503, count: 1, match: '/webhook/flaky' }]);
    const to = [`${house.sandbox.url}/webhook/flaky`];
    const { id } = await send(house, { ...content('webhook'), to, userId: newUser() });
    const waiting = await until(house, id, ({ waiting: wait }) => wait !== null);
    expect(waiting).toMatchObject({ status: 'pending', state: 'approved', waiting: { reason: 'retry' } });
    const shown = await sent(id);
    const [first, second] = shown.deliveries[0]?.attempts ?? [];
    expect([first?.outcome, second?.outcome]).toEqual(['transient', 'sent']);
    expect(Date.parse(second?.at ?? '') - Date.parse(first?.at ?? '')).toBeGreaterThanOrEqual(2_000);
    await fault('webhook', []);
  });

  it('keeps what failed for good as a dead letter, and sends it when it is replayed', async () => {
    await fault('email', [{ kind: 'status', status: 550, match: 'nobody@example.org' }]);
    const { id } = await send(house, { ...content('email'), to: 'nobody@example.org', userId: newUser() });
    await until(house, id, ({ state }) => state === 'failed');
    const letters = async (): Promise<{ id: string; notificationId: string; class: string }[]> =>
      (await house.call('GET', '/api/dead-letters?serviceName=diabetes&channel=email')).body['data'] as never;
    let letter: { id: string; class: string } | undefined;
    while (letter === undefined) letter = (await letters()).find(({ notificationId }) => notificationId === id);
    expect(letter.class).toBe('recipient');
    const full = await house.call('GET', `/api/dead-letters/${letter.id}`);
    expect(full.body).toMatchObject({ notification: { id, state: 'failed', history: expect.any(Array) as unknown } });
    await fault('email', []);
    expect((await house.call('POST', `/api/dead-letters/${letter.id}/replay`)).status).toBe(200);
    expect((await sent(id)).history.map(({ to }) => to)).toEqual([
      'approved',
      'sending',
      'failed',
      'approved',
      'sending',
      'sent',
    ]);
  });

  it('waits for sendAt, and can be cancelled until then', async () => {
    const sendAt = new Date(Date.now() + 2_000).toISOString();
    const { id, waiting } = await send(house, { ...content('email'), userId: newUser(), sendAt });
    expect(waiting).toEqual({ reason: 'scheduled', until: sendAt });
    const later = await send(house, {
      ...content('email'),
      userId: newUser(),
      sendAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    expect((await house.call('POST', `/api/notifications/${later.id}/cancel`)).body).toMatchObject({
      state: 'cancelled',
      status: 'cancelled',
    });
    const shown = await sent(id);
    expect(Date.parse(shown.sentAt ?? '')).toBeGreaterThanOrEqual(Date.parse(sendAt));
    expect(await house.call('POST', `/api/notifications/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'invalid_transition', state: 'sent', allowed: ['read'] },
    });
  });

  it('sends a draft only once it is approved', async () => {
    const { id, waiting } = await send(house, { ...content('push'), userId: newUser(), draft: true });
    expect(waiting).toEqual({ reason: 'approval', until: null });
    expect((await house.call('POST', `/api/notifications/${id}/approve`, { body: { note: 'fine' } })).status).toBe(200);
    await sent(id);
    expect((await house.call('POST', `/api/notifications/${id}/approve`)).status).toBe(200);
    const other = await send(house, { ...content('push'), userId: newUser(), draft: true });
    expect(
      (await house.call('POST', `/api/notifications/${other.id}/reject`, { body: { reason: 'Wrong dose' } })).body,
    ).toMatchObject({
      state: 'rejected',
      status: 'cancelled',
    });
  });

  it('sends to every device of a recipient, and forgets one that does not exist any more', async () => {
    const userId = newUser();
    const devices = `/api/services/diabetes/recipients/${userId}/devices`;
    await house.call('POST', devices, { body: { token: 'a-good-device-token-of-this-user', platform: 'android' } });
    await house.call('POST', devices, { body: { token: 'unregistered-device-token-of-user', platform: 'ios' } });
    const { id } = await send(house, { serviceName: 'diabetes', userId, title: 'Hello', body: 'Both of you' });
    expect(await sent(id)).toMatchObject({ deliveryCounts: { total: 2, sent: 1, failed: 1 } });
    let left: unknown[];
    do left = (await house.call('GET', `/api/services/diabetes/recipients/${userId}`)).body['devices'] as unknown[];
    while (left.length !== 1);
    expect(
      await house.call('POST', '/api/notifications', {
        body: { serviceName: 'diabetes', userId: 'nobody', body: 'x' },
      }),
    ).toMatchObject({
      status: 422,
      body: { code: 'no_target' },
    });
  });

  it('counts each user over both gateways, and lets exactly ten through in a minute', async () => {
    // All within one minute: wait for the next one if this one is about to end.
    while (Date.now() % 60_000 > 50_000) await received(house, 'count=1000000000&timeoutMs=1000');
    const userId = newUser();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        house.call('POST', '/api/notifications', { body: { ...content('email'), userId }, gateway: index % 2 }),
      ),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ code: 'rate_limited', scope: 'user' });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('marks as read, and counts the unread and the statistics', async () => {
    const userId = newUser();
    const first = await send(house, { ...content('email'), serviceName: 'maternity', userId });
    const second = await send(house, { ...content('email'), serviceName: 'maternity', userId, type: 'alert' });
    await sent(first.id);
    await sent(second.id);
    const unread = `/api/services/maternity/recipients/${userId}/notifications/unread`;
    expect((await house.call('GET', unread)).body['data']).toHaveLength(2);
    expect((await house.call('POST', `/api/notifications/${first.id}/read`)).body).toMatchObject({
      readAt: expect.any(String) as unknown,
    });
    expect((await house.call('GET', unread)).body['data']).toMatchObject([{ id: second.id }]);
    expect((await house.call('GET', '/api/notifications/stats?serviceName=maternity')).body).toMatchObject({
      total: 2,
      byType: { alert: 1, info: 1, reminder: 0 },
      byStatus: { sent: 2, failed: 0, pending: 0, cancelled: 0 },
      successRate: 100,
    });
  });

  it('lists newest first, page by page, over several services', async () => {
    const reference = `list-${Date.now()}`;
    for (const serviceName of ['diabetes', 'wellness', 'diabetes'])
      await send(house, { ...content('email'), serviceName, userId: newUser(), reference });
    const first = await house.call('GET', `/api/notifications?reference=${reference}&limit=2`);
    const page = first.body['page'] as { hasMore: boolean; nextCursor: string };
    expect(page.hasMore).toBe(true);
    const second = await house.call(
      'GET',
      `/api/notifications?reference=${reference}&limit=2&cursor=${page.nextCursor}`,
    );
    const all = [
      ...(first.body['data'] as { createdAt: string }[]),
      ...(second.body['data'] as { createdAt: string }[]),
    ];
    expect(all).toHaveLength(3);
    expect(all.map(({ createdAt }) => createdAt)).toEqual(
      all
        .map(({ createdAt }) => createdAt)
        .toSorted()
        .toReversed(),
    );
    expect(
      (await house.call('GET', `/api/notifications?reference=other&limit=2&cursor=${page.nextCursor}`)).body['code'],
    ).toBe('invalid_cursor');
  });
});
