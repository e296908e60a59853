import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { receiptUrl, twilioSignature } from '#channels/sms/twilio/receipt';
import { freePort } from '#testing/processes';
import { type House, RECEIPT_TOKEN, send, startHouse, TWILIO_AUTH_TOKEN, until } from '#testing/house';

describe('SMS, from call to receipt', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse({ name: 'sms', dispatchers: 3, env: { SMS_DEFAULT_COUNTRY: 'CI,wellness=FR' } });
  }, 120_000);
  afterAll(() => house.stop(), 60_000);

  let users = 0;
  const sms = (over: object = {}) => ({
    serviceName: 'diabetes' as const,
    userId: `p-${(users += 1)}`,
    channel: 'sms' as const,
    to: '07 07 12 34 56',
    body: 'Réveil : 8h – 5 mg',
    ...over,
  });
  const sent = async (over: object = {}) => {
    const { id } = await send(house, sms(over));
    return until(house, id, ({ final }) => final);
  };
  const count = async (stage: string): Promise<number> => {
    const faults = (await (await fetch(`${house.sandbox.url}/faults`)).json()) as {
      sms: { stage: string; struck: number }[];
    };
    return faults.sms.find((fault) => fault.stage === stage)?.struck ?? 0;
  };

  it('asks for one token, whichever dispatcher sends', async () => {
    await fetch(`${house.sandbox.url}/faults/sms`, {
      method: 'PUT',
      body: JSON.stringify([{ kind: 'latency', latencyMs: 1, stage: 'auth' }]),
    });
    await Promise.all(Array.from({ length: 30 }, () => sent()));
    expect(await count('auth')).toBe(1);
  });

  it("writes numbers as the service's country does, and says what the text takes", async () => {
    const shown = await sent();
    expect(shown).toMatchObject({
      state: 'sent',
      sms: { encoding: 'ucs-2', segments: 1 },
      deliveries: [{ target: '+225…56', provider: 'orange', providerMessageId: expect.any(String) }],
    });
    const { data } = (await (
      await fetch(`${house.sandbox.url}/received?channel=sms&notificationId=${shown.id}`)
    ).json()) as { data: { target: string; id: string }[] };
    expect(data).toMatchObject([{ target: '+2250707123456', id: shown.deliveries[0]?.providerMessageId }]);
    expect(JSON.stringify(shown)).not.toContain('0707123456');
  });

  it('refuses what is no number there, and what is too long, with the count', async () => {
    const answer = await house.call('POST', '/api/notifications', {
      body: sms({ serviceName: 'wellness', to: ['+33612345678', '07 07 12'], body: 'x'.repeat(2_000) }),
    });
    expect(answer).toMatchObject({
      status: 422,
      body: {
        errors: [
          { field: '/to/1', code: 'invalid_phone_number' },
          { field: '/body', code: 'too_many_segments', message: expect.stringContaining('it takes 14') },
        ],
      },
    });
  });

  it('goes to the number that the recipient has', async () => {
    const path = '/api/services/wellness/recipients/p-own';
    const put = await house.call('PUT', path, { body: { phone: '06 12 34 56 78' } });
    expect(put).toMatchObject({ status: 200, body: { phone: '+33612345678' } });
    const shown = await sent({ serviceName: 'wellness', userId: 'p-own', to: undefined });
    expect(shown).toMatchObject({ state: 'sent', deliveries: [{ target: '+336…78' }] });
  });

  it('is marked as delivered by a receipt of Orange', async () => {
    const { id, deliveries } = await sent();
    const body = {
      deliveryInfoNotification: {
        callbackData: deliveries[0]?.providerMessageId,
        deliveryInfo: { address: 'tel:+2250707123456', deliveryStatus: 'DeliveredToTerminal' },
      },
    };
    const post = (token: string) => house.call('POST', `/api/receipts/orange?token=${token}`, { body, key: null });
    expect(await post('x'.repeat(32))).toMatchObject({ status: 403, body: { code: 'invalid_signature' } });
    expect((await house.call('GET', `/api/notifications/${id}`)).body['deliveredAt']).toBeNull();
    expect((await post(RECEIPT_TOKEN)).status).toBe(204);
    expect((await house.call('GET', `/api/notifications/${id}`)).body).toMatchObject({
      state: 'sent',
      deliveredAt: expect.any(String),
    });
  });

  it.each([
    ['orange', 'delivered', 'sent'],
    ['twilio', 'failed', 'failed'],
  ])('by %s, whose receipt says %s, ends as %s', async (provider, outcome, state) => {
    const port = await freePort();
    const base = `http://127.0.0.1:${port}`;
    const other = await startHouse({
      name: 'receipts',
      gateways: 0,
      env: {
        SMS_PROVIDERS: provider,
        SMS_RECEIPTS_URL: base,
        SANDBOX_SMS_RECEIPTS: outcome,
        SANDBOX_ORANGE_RECEIPTS_URL: `${base}/api/receipts/orange?token=${RECEIPT_TOKEN}`,
        SANDBOX_TWILIO_AUTH_TOKEN: TWILIO_AUTH_TOKEN,
      },
    });
    try {
      other.gateways.push(await other.start('notification-api', 'notification-api-1', port));
      const { id } = await send(other, sms({ to: '+33612345678' }));
      const shown = await until(other, id, ({ deliveredAt, failedAt }) => deliveredAt !== null || failedAt !== null);
      expect(shown).toMatchObject({ state, deliveries: [{ provider, status: state }] });
    } finally {
      await other.stop();
    }
  });

  it('has failed by a receipt of Twilio', async () => {
    const { id, deliveries } = await sent();
    const base = house.env['SMS_RECEIPTS_URL'] ?? '';
    const url = receiptUrl(base, { serviceName: 'diabetes', deliveryId: deliveries[0]?.id ?? '' });
    const fields = { MessageSid: 'SM1', MessageStatus: 'undelivered', ErrorCode: '30005' };
    const answer = await house.call('POST', url.slice(base.length), {
      body: new URLSearchParams(fields).toString(),
      key: null,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': twilioSignature(TWILIO_AUTH_TOKEN, url, fields),
      },
    });
    expect(answer.status).toBe(204);
    const { body } = await house.call('GET', `/api/notifications/${id}`);
    expect(body).toMatchObject({ state: 'failed', lastError: { code: 'twilio_30005', class: 'recipient' } });
    expect((body['history'] as { actor: string }[]).at(-1)?.actor).toBe('report:twilio');
  });
});
