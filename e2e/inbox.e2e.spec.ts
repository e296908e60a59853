import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type EventSource, NoStream, openEventSource, type ReceivedEvent } from '#testing/event-source';
import { type Answer, type House, send, startHouse, until } from '#testing/house';
import { createProxy } from '#testing/proxy';

const PAGE = 'https://app.example.org';

interface Named {
  serviceName: string;
  userId: string;
  tenantId?: string;
}
interface User extends Named {
  token: string;
}

/** The in-app inbox as the page of a user sees it, with two gateways: nothing depends on which of them it asks. */
describe('the in-app inbox', () => {
  let house: House;
  const sources: EventSource[] = [];

  beforeAll(async () => {
    house = await startHouse({
      gateways: 2,
      env: {
        CORS_ORIGINS: PAGE,
        INBOX_HEARTBEAT_SECONDS: '1',
        // What is told live is told by the fanout.
        INBOX_POLL_SECONDS: '600',
        USER_LIMIT_PER_MINUTE: '1000',
      },
    });
  }, 120_000);
  afterAll(() => house.stop(), 60_000);
  afterEach(() => {
    for (const source of sources.splice(0)) source.close();
  });

  let users = 0;
  const enter = async (over: Partial<Named> & { ttlSeconds?: number } = {}): Promise<User> => {
    const asked = { serviceName: 'diabetes', userId: `p-${(users += 1)}`, ...over };
    const made = await house.call('POST', '/api/inbox/tokens', { body: asked });
    expect(made).toMatchObject({ status: 201, body: { token: expect.any(String) as unknown } });
    return { ...asked, token: String(made.body['token']) };
  };
  const ask = (user: User, method: string, path: string, body?: unknown, gateway = 0): Promise<Answer> =>
    house.call(method, `/api/inbox${path}`, { key: user.token, gateway, ...(body === undefined ? {} : { body }) });
  const listen = async (user: User, gateway = 0, headers: Record<string, string> = {}): Promise<EventSource> => {
    const url = `${house.gateways[gateway]?.url ?? ''}/api/inbox/stream`;
    const source = await openEventSource(url, { authorization: `Bearer ${user.token}`, ...headers });
    sources.push(source);
    return source;
  };
  const listening = async (user: User, gateway = 0): Promise<EventSource> => {
    const source = await listen(user, gateway);
    expect(await source.events.at(0)).toMatchObject({ event: 'ready', data: { resumed: false } });
    return source;
  };
  /** Sends one by the second gateway; answers its id in the inbox. */
  const notify = async ({ serviceName, userId, tenantId }: Named, title = 'Insulin'): Promise<string> => {
    const answer = await house.call('POST', '/api/notifications', {
      gateway: 1,
      body: { serviceName, userId, channel: 'in-app', title, body: 'Time for your 8:00 dose', tenantId },
    });
    expect(answer.status).toBe(202);
    return `${String(answer.body['id'])}-1`;
  };
  /** The first event that is as wanted. */
  const event = async (
    { events }: EventSource,
    wanted: (received: ReceivedEvent) => boolean,
  ): Promise<ReceivedEvent> => {
    for (let at = 0; ; at += 1) {
      const received = await events.at(at);
      if (wanted(received)) return received;
    }
  };
  const itemIn = (source: EventSource, id: string, version = 1): Promise<ReceivedEvent> =>
    event(source, ({ data }) => data['id'] === id && data['version'] === version);
  const list = async (user: User, query = '', gateway = 0): Promise<Record<string, unknown>[]> =>
    (await ask(user, 'GET', query, undefined, gateway)).body['data'] as Record<string, unknown>[];

  it('delivers to the inbox, and shows there what was sent', async () => {
    const user = await enter();
    const source = await listening(user);
    const { id } = await send(house, {
      serviceName: 'diabetes',
      userId: user.userId,
      channel: 'in-app',
      title: 'Insulin',
      body: 'Time for your 8:00 dose',
      reference: 'rx-9931',
      data: { rx: '9931' },
    });
    const item = {
      id: `${id}-1`,
      notificationId: id,
      version: 1,
      type: 'info',
      priority: 'normal',
      title: 'Insulin',
      body: 'Time for your 8:00 dose',
      data: { rx: '9931' },
      reference: 'rx-9931',
      groupId: null,
      createdAt: expect.any(String) as unknown,
      readAt: null,
    };
    expect((await itemIn(source, `${id}-1`)).data).toEqual(item);
    expect(await list(user)).toEqual([item]);
    expect(await until(house, id, ({ state }) => state === 'sent')).toMatchObject({
      deliveries: [{ status: 'sent', provider: 'inbox', providerMessageId: `${id}-1` }],
    });
  });

  it('tells the notification what was read here, and the page what was read there, once each', async () => {
    const user = await enter();
    const source = await listening(user, 1);
    const [here, there] = [await notify(user), await notify(user)];
    for (const id of [here, there]) await itemIn(source, id);
    const notificationOf = (item: string): string => item.slice(0, 24);
    await ask(user, 'POST', `/${here}/read`);
    const read = await until(house, notificationOf(here), ({ readAt }) => readAt !== null);
    expect(read.readAt).toBe((await itemIn(source, here, 2)).data['readAt']);
    await ask(user, 'POST', `/${here}/unread`);
    await until(house, notificationOf(there), ({ state }) => state === 'sent');
    await house.call('POST', `/api/notifications/${notificationOf(there)}/read`);
    expect((await itemIn(source, there, 2)).data['readAt']).not.toBeNull();
    await ask(user, 'POST', '/read-all');
    await itemIn(source, here, 4);
    // The item of the second is not told to its notification again: nothing of it changes any more.
    expect(await until(house, notificationOf(there), ({ readAt }) => readAt !== null)).toMatchObject({ version: 4 });
    expect(await until(house, notificationOf(here), () => true)).toMatchObject({ version: read.version });
  });

  it('streams on one gateway what comes by the other, with an id on every event', async () => {
    const user = await enter();
    const [first, second] = [await listening(user, 0), await listening(user, 1)];
    const id = await notify(user);
    for (const source of [first, second]) {
      await itemIn(source, id);
      for (const { id: eventId } of source.events.items) expect(eventId).toMatch(/^[0-9]+$/);
      expect(source.retryMs()).toBeGreaterThanOrEqual(1_000);
    }
    await first.comments.first(1);
  });

  it('shows read, unread, read-all and deleted live on another stream', async () => {
    const user = await enter();
    const source = await listening(user, 1);
    const [first, second, third] = [await notify(user), await notify(user), await notify(user)];
    for (const id of [first, second, third]) await itemIn(source, id);
    expect((await ask(user, 'GET', '/unread-count')).body).toEqual({ unread: 3 });

    expect((await ask(user, 'POST', `/${first}/read`)).body).toMatchObject({
      version: 2,
      readAt: expect.any(String) as unknown,
    });
    expect((await itemIn(source, first, 2)).data).toMatchObject({ readAt: expect.any(String) as unknown });
    expect((await list(user, '?unread=true', 1)).map(({ id }) => id).sort()).toEqual([second, third].sort());

    expect((await ask(user, 'POST', `/${first}/unread`)).body).toMatchObject({ version: 3, readAt: null });
    expect((await itemIn(source, first, 3)).data).toMatchObject({ readAt: null });

    expect((await ask(user, 'POST', '/read-all')).body).toEqual({ read: 3 });
    for (const [id, version] of [[first, 4] as const, [second, 2] as const, [third, 2] as const])
      expect((await itemIn(source, id, version)).data).toMatchObject({ readAt: expect.any(String) as unknown });
    expect((await ask(user, 'GET', '/unread-count', undefined, 1)).body).toEqual({ unread: 0 });

    expect((await ask(user, 'DELETE', `/${second}`)).status).toBe(204);
    expect(await itemIn(source, second, 3)).toMatchObject({ event: 'removed', data: { id: second, version: 3 } });
    expect((await ask(user, 'DELETE', `/${second}`)).status).toBe(404);
    expect((await list(user)).map(({ id }) => id).sort()).toEqual([first, third].sort());
  });

  it('resumes on the other gateway and misses nothing: stored, changed, deleted', async () => {
    const user = await enter();
    const before = await listening(user, 0);
    const [kept, gone] = [await notify(user), await notify(user)];
    await itemIn(before, kept);
    const { id: last } = await itemIn(before, gone);
    before.close();
    await before.ended;
    const later = await notify(user, 'Later');
    await ask(user, 'POST', `/${kept}/read`);
    await ask(user, 'DELETE', `/${gone}`);
    await until(house, later.slice(0, 24), ({ state }) => state === 'sent');
    const after = await listen(user, 1, { 'last-event-id': last });
    const ready = await event(after, ({ event: name }) => name === 'ready');
    expect(ready.data).toEqual({ resumed: true });
    // All that was missed came before it was said to be live.
    const told = after.events.items.slice(0, after.events.items.indexOf(ready));
    const newest = new Map(told.map(({ data, event: name }) => [data['id'], [name, data['version']]]));
    expect(newest.get(later)).toEqual(['item', 1]);
    expect(newest.get(kept)).toEqual(['item', 2]);
    expect(newest.get(gone)).toEqual(['removed', 2]);
    await itemIn(after, await notify(user));
  });

  it('begins anew after an event that is not, or no longer, known', async () => {
    const user = await enter();
    for (const id of ['nonsense', '1000', '999999999999999']) {
      const source = await listen(user, 0, { 'last-event-id': id });
      expect(await source.events.at(0)).toMatchObject({ event: 'ready', data: { resumed: false } });
    }
  });

  it('ends the stream with its token, and says so; the token opens nothing any more', async () => {
    const user = await enter({ ttlSeconds: 1 });
    const source = await listening(user);
    expect(await event(source, ({ event: name }) => name === 'end')).toMatchObject({
      data: { reason: 'token_expired' },
    });
    expect(await source.ended).toBe(true);
    // Within the tolerance for clocks it still opens, and ends at once.
    let refused: unknown = null;
    while (refused === null) {
      const again = await listen(user).catch((error: unknown) => (refused = error));
      if (!(again instanceof Error)) await (again as EventSource).ended;
    }
    expect(refused).toBeInstanceOf(NoStream);
    expect(refused).toMatchObject({ status: 401, body: { code: 'token_expired' } });
  });

  it('is closed to everybody else: users, tenants, services', async () => {
    const user = await enter();
    const theirs = await notify(user);
    const source = await listening(user);
    for (const other of [
      await enter(),
      await enter({ userId: user.userId, tenantId: 'clinic' }),
      await enter({ userId: user.userId, serviceName: 'wellness' }),
    ]) {
      const stream = await listening(other, 1);
      expect(await list(other)).toEqual([]);
      expect((await ask(other, 'GET', '/unread-count')).body).toEqual({ unread: 0 });
      for (const [method, path] of [
        ['POST', `/${theirs}/read`],
        ['POST', `/${theirs}/unread`],
        ['DELETE', `/${theirs}`],
      ] as const)
        expect(await ask(other, method, path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
      expect((await ask(other, 'POST', '/read-all')).body).toEqual({ read: 0 });
      // Its own arrives, and nothing else did.
      const own = await notify(other);
      await itemIn(stream, own);
      expect(stream.events.items.map(({ data }) => data['id'])).toEqual([undefined, own]);
    }
    await until(house, theirs.slice(0, 24), ({ state }) => state === 'sent');
    expect(await list(user)).toMatchObject([{ id: theirs, version: 1, readAt: null }]);
    expect(source.events.items.length).toBeLessThanOrEqual(2);
  });

  it('gives tokens only to keys that may, for services that are theirs', async () => {
    const made = await house.call('POST', '/api/keys', {
      body: { owner: 'page', scopes: ['inbox:tokens'], services: ['test'] },
    });
    const key = String(made.body['key']);
    const token = (serviceName: string, as: string) =>
      house.call('POST', '/api/inbox/tokens', { key: as, body: { serviceName, userId: 'p-1' } });
    expect((await token('test', key)).status).toBe(201);
    expect(await token('diabetes', key)).toMatchObject({ status: 403, body: { code: 'service_not_allowed' } });
    const { token: ofUser } = await enter();
    expect(await token('diabetes', ofUser)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(await house.call('GET', '/api/inbox', { key })).toMatchObject({
      status: 401,
      body: { code: 'invalid_token' },
    });
    expect((await house.call('GET', '/api/inbox/stream?token=x', { key: null })).status).toBe(401);
  });

  it('takes the cookie from pages of allowed origins alone', async () => {
    const user = await enter();
    const id = await notify(user);
    await until(house, id.slice(0, 24), ({ state }) => state === 'sent');
    const cookie = `other=1; carillon_inbox=${user.token}`;
    const by = (method: string, path: string, origin?: string): Promise<Answer> =>
      house.call(method, `/api/inbox${path}`, {
        key: null,
        headers: { cookie, ...(origin === undefined ? {} : { origin }) },
      });
    const seen = await by('GET', '', PAGE);
    expect(seen.status).toBe(200);
    expect(seen.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(seen.headers.get('access-control-allow-credentials')).toBe('true');
    expect((await by('GET', '')).status).toBe(200);
    const refused = { status: 403, body: { code: 'origin_not_allowed' } };
    expect(await by('POST', '/read-all')).toMatchObject(refused);
    expect(await by('POST', '/read-all', 'https://evil.example.org')).toMatchObject(refused);
    expect(await by('DELETE', `/${id}`, 'null')).toMatchObject(refused);
    expect(await by('GET', '', 'https://evil.example.org')).toMatchObject(refused);
    expect((await by('POST', '/read-all', PAGE)).body).toEqual({ read: 1 });
    const source = await openEventSource(`${house.gateways[0]?.url ?? ''}/api/inbox/stream`, { cookie, origin: PAGE });
    sources.push(source);
    expect(await source.events.at(0)).toMatchObject({ event: 'ready' });
  });

  it('forgets a reader that has gone', async () => {
    const user = await enter();
    const source = await listening(user);
    const open = async (): Promise<number> => {
      const metrics = await (await fetch(`${house.gateways[0]?.url ?? ''}/metrics`)).text();
      return Number(/^carillon_inbox_streams\S* (\d+)$/m.exec(metrics)?.[1]);
    };
    expect(await open()).toBeGreaterThanOrEqual(1);
    source.close();
    while ((await open()) > 0);
  });

  it.each([
    ['once the broker is back', '600'],
    ['by looking, while the broker stays away', '1'],
  ])('tells what came while its gateway had no broker: %s', async (_how, pollSeconds) => {
    const proxy = await createProxy(house.vhost.uri);
    const env = { RABBITMQ_URI: proxy.uri, INBOX_POLL_SECONDS: pollSeconds };
    const gateway = await house.start('notification-api', `notification-api-cut-${pollSeconds}`, undefined, env);
    try {
      const connected = async (is: 0 | 1): Promise<void> => {
        const said = new RegExp(`^carillon_broker_connected\\S* ${is}$`, 'm');
        while (!said.test(await (await fetch(`${gateway.url}/metrics`)).text()));
      };
      const user = await enter();
      const source = await openEventSource(`${gateway.url}/api/inbox/stream`, {
        authorization: `Bearer ${user.token}`,
      });
      sources.push(source);
      await source.events.at(0);
      await connected(1);
      proxy.cut();
      await connected(0);
      const id = await notify(user);
      // What was told of it on the fanout has passed this gateway by.
      await until(house, id.slice(0, 24), ({ state }) => state === 'sent');
      if (pollSeconds === '600') proxy.restore();
      await itemIn(source, id);
      if (pollSeconds !== '600') proxy.restore();
    } finally {
      await gateway.stop();
      await proxy.close();
    }
  });

  it('ends its streams when a gateway stops, and says so', async () => {
    const user = await enter();
    const gateway = await house.start('notification-api', 'notification-api-3');
    const source = await openEventSource(`${gateway.url}/api/inbox/stream`, {
      authorization: `Bearer ${user.token}`,
    });
    await source.events.at(0);
    expect(await gateway.stop()).toBe(0);
    expect(await event(source, ({ event: name }) => name === 'end')).toMatchObject({
      data: { reason: 'shutting_down' },
    });
    expect(await source.ended).toBe(true);
  });
});
