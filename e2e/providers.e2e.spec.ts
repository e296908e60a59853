import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { CreateNotificationInput, NotificationBody } from '#contracts/http/notification';
import type { ProviderBody } from '#contracts/http/providers';
import { type Answer, type House, send, startHouse, until } from '#testing/house';

/** Providers that fail, are taken out of service and have limits, over three gateways and three dispatchers. */
describe('providers and limits', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({
      name: 'providers',
      gateways: 3,
      dispatchers: 3,
      env: { USER_LIMIT_PER_MINUTE: '1000' },
    });
  }, 120_000);
  afterAll(() => house.stop(), 60_000);
  afterEach(() => faults());

  const faults = async (...list: object[]): Promise<void> => {
    const response = await fetch(`${house.sandbox.url}/faults/sms`, { method: 'PUT', body: JSON.stringify(list) });
    if (!response.ok) throw new Error(await response.text());
  };
  const sms = (over: Partial<CreateNotificationInput> = {}): CreateNotificationInput => ({
    serviceName: 'diabetes',
    channel: 'sms',
    to: '+2250707123456',
    body: 'Time for your 8:00 dose',
    ...over,
  });
  const post = (over: Partial<CreateNotificationInput>, gateway = 0): Promise<Answer> =>
    house.call('POST', '/api/notifications', { body: sms(over), gateway });
  const sent = (id: string): Promise<NotificationBody> => until(house, id, ({ state }) => state === 'sent');
  const listed = async (name: string): Promise<ProviderBody> => {
    const { body } = await house.call('GET', '/api/providers');
    const found = (body as unknown as { data: ProviderBody[] }).data.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no provider ${name}`);
    return found;
  };
  const switchTo = async (path: string): Promise<void> => {
    const { status } = await house.call('POST', `/api/providers/sms/${path}`, { body: {} });
    expect(status).toBe(200);
  };
  const limit = async (path: string, max: number, periodSeconds: number, kind = 'fixed-window'): Promise<void> => {
    const answer = await house.call('PUT', `/api/limits/${path}`, { body: { kind, max, periodSeconds } });
    expect(answer).toMatchObject({ status: 200, body: { max, isDefault: false } });
  };
  const unlimit = async (path: string): Promise<void> => {
    expect((await house.call('DELETE', `/api/limits/${path}`)).status).toBe(204);
  };
  /** Each gateway reads the limits anew when it is asked for them. */
  const known = async (): Promise<void> => {
    for (const gateway of [0, 1, 2]) await house.call('GET', '/api/limits', { gateway });
  };

  it('lets the second provider send in the same attempt, and says who was tried', async () => {
    await faults({ kind: 'status', status: 500, provider: 'orange' });
    const { id } = await send(house, sms());
    const { deliveries } = await sent(id);
    expect(deliveries).toMatchObject([
      {
        provider: 'twilio',
        attempts: [
          {
            number: 1,
            provider: 'twilio',
            outcome: 'sent',
            tried: [{ provider: 'orange', outcome: 'transient', code: 'provider_unavailable', providerStatus: '500' }],
          },
        ],
      },
    ]);
    const metrics = await Promise.all(house.dispatchers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    expect(metrics.join('\n')).toMatch(
      /carillon_failovers_total\{[^}]*from="orange",to="twilio",reason="transient"[^}]*\} 1/,
    );
  });

  it('never sends by a second provider what may have arrived and is to arrive at most once', async () => {
    await faults({ kind: 'drop', provider: 'orange' });
    const { id } = await send(house, sms({ atMostOnce: true }));
    const shown = await until(house, id, ({ state }) => state === 'uncertain');
    expect(shown).toMatchObject({ waiting: { reason: 'resolution' }, deliveries: [{ provider: 'orange' }] });
  });

  it('takes a provider out of service and back in, in every process', async () => {
    await switchTo('orange/disable');
    expect(await listed('orange')).toMatchObject({ enabled: false, disabled: { by: expect.stringMatching(/^key:/) } });
    // Each dispatcher is told: none of many goes the old way once one went the new one.
    for (let provider = ''; provider !== 'twilio';) {
      const { id } = await send(house, sms());
      provider = (await sent(id)).deliveries[0]?.provider ?? '';
    }
    await switchTo('twilio/disable');
    let parked: NotificationBody | undefined;
    while (parked === undefined) {
      const { id } = await send(house, sms());
      const shown = await until(house, id, ({ state, waiting }) => state === 'sent' || waiting !== null);
      if (shown.state !== 'sent') parked = shown;
    }
    expect(parked).toMatchObject({ state: 'approved', status: 'pending', waiting: { reason: 'provider' } });
    expect(parked.deliveries[0]?.attempts).toEqual([]);
    await switchTo('orange/enable');
    await switchTo('twilio/enable');
    expect(await listed('orange')).toMatchObject({ enabled: true, disabled: null });
    const { deliveries } = await until(house, parked.id, ({ state }) => state === 'sent', 60_000);
    expect(deliveries[0]?.attempts).toMatchObject([{ number: 1, outcome: 'sent' }]);
  }, 90_000);

  it('shows each provider as every dispatcher sees it', async () => {
    const { id } = await send(house, sms());
    await sent(id);
    for (;;) {
      const { dispatchers, counts, services, health } = await listed('orange');
      if (dispatchers.length === 3 && counts.sent > 0) {
        expect({ services, health }).toEqual({
          services: [{ serviceName: '*', order: 1 }],
          health: expect.any(String),
        });
        break;
      }
    }
    expect((await house.call('POST', '/api/providers/sms/pigeon/disable', { body: {} })).status).toBe(404);
  });

  it('lets exactly as many through as a limit has, over three gateways, and refuses the rest', async () => {
    await limit('services/wellness/email', 40, 86_400, 'token-bucket');
    await known();
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, number) =>
        post({ serviceName: 'wellness', channel: 'email', title: 'Insulin', to: `u${number}@example.org` }, number % 3),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 202).length + refused.length).toBe(90);
    expect(refused[0]?.body).toMatchObject({ code: 'rate_limited', scope: 'channel' });
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    const { body } = await house.call('GET', '/api/notifications?serviceName=wellness&channel=email&limit=100');
    expect((body as { data: unknown[] }).data).toHaveLength(40);
    await unlimit('services/wellness/email');
  });

  it('says at once when what is over will be sent, and sends it then', async () => {
    await limit('services/maternity/sms', 2, 3);
    await known();
    const over = { serviceName: 'maternity', onLimit: 'wait' } as const;
    let waiting: NotificationBody | null = null;
    while (waiting === null) {
      const { body } = await post(over);
      const accepted = body as unknown as NotificationBody;
      if (accepted.waiting !== null) waiting = accepted;
    }
    expect(waiting).toMatchObject({ state: 'approved', waiting: { reason: 'rate_limit', until: expect.any(String) } });
    const { sentAt, deliveries } = await sent(waiting.id);
    expect(Date.parse(sentAt ?? '')).toBeGreaterThanOrEqual(Date.parse(waiting.waiting?.until ?? ''));
    expect(deliveries[0]?.attempts).toHaveLength(1);
    const { body } = await house.call('GET', '/api/limits');
    expect((body as { data: unknown[] }).data).toContainEqual(
      expect.objectContaining({ serviceName: 'maternity', channel: 'sms', max: 2, isDefault: false }),
    );
    await unlimit('services/maternity/sms');
  }, 60_000);

  it('keeps to the limit of a provider over three dispatchers, with places reserved ahead', async () => {
    await switchTo('twilio/disable');
    await limit('providers/sms/orange', 4, 4, 'sliding-window');
    // What is sent before every dispatcher knows the limit counts for nothing.
    for (let waits = false; !waits;) {
      const batch = await Promise.all(Array.from({ length: 8 }, () => send(house, sms({ serviceName: 'test' }))));
      const shown = await Promise.all(
        batch.map(({ id }) => until(house, id, ({ state, waiting }) => state === 'sent' || waiting !== null)),
      );
      waits = shown.some(({ waiting }) => waiting?.reason === 'rate_limit');
    }
    const batch = await Promise.all(Array.from({ length: 12 }, () => send(house, sms({ serviceName: 'test' }))));
    const parked = await Promise.all(
      batch.map(({ id }) => until(house, id, ({ waiting }) => waiting?.reason === 'rate_limit')),
    );
    const times = parked.map(({ waiting }) => Date.parse(waiting?.until ?? '')).sort((a, b) => a - b);
    for (const from of times)
      expect(times.filter((at) => at >= from && at < from + 4_000).length).toBeLessThanOrEqual(4);
    const last = await Promise.all(batch.map(({ id }) => sent(id)));
    for (const { deliveries } of last)
      expect(deliveries).toMatchObject([{ provider: 'orange', attempts: [{ number: 1 }] }]);
    await unlimit('providers/sms/orange');
    await switchTo('twilio/enable');
  }, 90_000);
});
