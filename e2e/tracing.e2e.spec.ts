import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Collector, type CollectedSpan, startCollector } from '#testing/collector';
import { type House, received, send, startHouse, until } from '#testing/house';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

/** Headers with which the sandbox received the one webhook of a notification. */
const headersOf = async (house: House, notificationId: string): Promise<Record<string, string>> => {
  const { data } = (await (await fetch(`${house.sandbox.url}/received?notificationId=${notificationId}`)).json()) as {
    data: { sequence: number }[];
  };
  const whole = await fetch(`${house.sandbox.url}/received/${data[0]?.sequence ?? 0}`);
  return ((await whole.json()) as { headers: Record<string, string> }).headers;
};

const of =
  (id: string) =>
  ({ attributes }: CollectedSpan): boolean =>
    attributes['carillon.notification.id'] === id;

/** A collector of OTLP beside real processes. */
describe('traces', () => {
  let collector: Collector;
  let house: House;
  beforeAll(async () => {
    collector = await startCollector();
    house = await startHouse({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  }, 120_000);
  afterAll(async () => {
    await house.stop();
    await collector.close();
  }, 60_000);

  const webhook = { serviceName: 'test', userId: 'p-1', channel: 'webhook', title: 'Insulin' } as const;

  it('lead from the call to the provider, within the trace of the caller', async () => {
    const to = `${house.sandbox.url}/webhook/traced`;
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01` };
    const { id } = await send(house, { ...webhook, to, body: 'a secret body' }, headers);
    await until(house, id, ({ state }) => state === 'sent');
    const spans = await collector.until(of(id), 2);
    const accept = spans.find(({ name }) => name === 'accept');
    const deliver = spans.find(({ name }) => name === 'deliver');
    expect(accept).toMatchObject({
      service: 'notification-api',
      traceId: TRACE,
      parentSpanId: PARENT,
      attributes: { 'carillon.channel': 'webhook', 'carillon.outcome': 'accepted', 'carillon.service': 'test' },
      failure: null,
    });
    expect(deliver).toMatchObject({
      service: 'dispatcher',
      traceId: TRACE,
      parentSpanId: PARENT,
      attributes: {
        'carillon.channel': 'webhook',
        'carillon.outcome': 'sent',
        'carillon.delivery.id': `${id}-1`,
        'carillon.attempt': 1,
      },
      failure: null,
    });
    expect(spans).toHaveLength(2);
    expect((await headersOf(house, id))['traceparent']).toBe(`00-${TRACE}-${deliver?.spanId ?? ''}-01`);
    for (const hidden of ['a secret body', 'Insulin', '/webhook/traced', house.key])
      expect(collector.text).not.toContain(hidden);
  });

  it('begin with the acceptance where the caller began none', async () => {
    const { id } = await send(house, { ...webhook, to: `${house.sandbox.url}/webhook/untraced`, body: 'b' });
    await until(house, id, ({ state }) => state === 'sent');
    const spans = await collector.until(of(id), 2);
    const accept = spans.find(({ name }) => name === 'accept');
    const deliver = spans.find(({ name }) => name === 'deliver');
    expect(accept?.parentSpanId).toBeNull();
    expect(accept?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(deliver).toMatchObject({ traceId: accept?.traceId, parentSpanId: accept?.spanId });
  });

  it('show each attempt, and what became of it', async () => {
    const { id } = await send(house, { ...webhook, to: 'http://127.0.0.1:1/', body: 'b' });
    const attempts = await collector.until((span) => of(id)(span) && span.name === 'deliver', 2);
    expect(attempts.map(({ attributes }) => attributes['carillon.attempt'])).toEqual([1, 2]);
    for (const attempt of attempts) {
      expect(attempt.attributes['carillon.outcome']).toBe('transient');
      expect(attempt.failure).toBe(attempt.attributes['carillon.code']);
    }
  });

  it('of a bulk hold every delivery', async () => {
    const answer = await house.call('POST', '/api/notifications/bulk', {
      body: {
        serviceName: 'test',
        content: { channel: 'email', title: 't', body: 'b' },
        recipients: [1, 2, 3].map((n) => ({ userId: `b-${n}`, to: `b-${n}@example.org` })),
      },
    });
    expect(answer.status).toBe(202);
    const [bulk] = await collector.until(({ attributes }) => attributes['carillon.bulk.id'] === answer.body['id'], 1);
    const inTrace = (span: CollectedSpan): boolean => span.name === 'deliver' && span.traceId === bulk?.traceId;
    const deliveries = await collector.until(inTrace, 3);
    expect(deliveries.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(3).fill(bulk?.spanId));
    expect(collector.text).not.toContain('@example.org');
    await received(house, 'channel=email&count=3');
  });
});
