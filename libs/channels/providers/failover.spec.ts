import { beforeEach, describe, expect, it } from '@jest/globals';
import { startSandboxClient } from '../../../apps/sandbox/client.js';
import type { Outcome } from '#domain/outcome';
import type { ProviderParts } from '#domain/providers';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { MemoryTokenStore } from '#testing/memory-tokens';
import { MemoryProviderLimits, openProviders } from '#testing/open-providers';
import { sendRequest } from '../conformance.js';
import { numberOf, smsSender } from '../sms/spec-sms.js';
import { FailoverSender } from './failover.js';
import { specSandbox } from './spec-sandbox.js';

/** The real senders of Orange and Twilio against the sandbox: the first fails, the second takes over. */

const sandbox = specSandbox('sms');
const { faults, received, struck } = sandbox;

const make = (variables: Record<string, string> = {}, parts: Partial<ProviderParts> = {}): FailoverSender => {
  const sender = smsSender(
    sandbox.client().httpUrl,
    { SMS_PROVIDERS: 'orange,twilio', SMS_TIMEOUT_MS: '10000', ...variables },
    new MemoryTokenStore(),
    openProviders(parts),
  );
  sandbox.closing(sender);
  if (!(sender instanceof FailoverSender)) throw new Error('SMS do not fail over');
  return sender;
};
const request = (name: string, over: Partial<SendRequest> = {}): SendRequest =>
  sendRequest({ target: numberOf(name), deliveryId: `${name.padEnd(24, '0')}-1`, ...over });
const lease = (): AbortSignal => new AbortController().signal;
const one = async (sender: ChannelSender, over: Partial<SendRequest> = {}): Promise<Outcome | undefined> =>
  (await sender.send([request('a', over)], lease()))[0];

const ORANGE = { provider: 'orange' } as const;

describe('two providers of SMS', () => {
  it('need only the first while it works', async () => {
    expect(await one(make())).toMatchObject({ kind: 'sent', provider: 'orange' });
    expect(await one(make())).not.toHaveProperty('tried');
    expect(await received()).toBe(2);
  });

  it.each([
    ['answers 500', { kind: 'status', status: 500 }, 'transient', 'provider_unavailable'],
    ['asks to come back', { kind: 'status', status: 503, retryAfter: 60 }, 'rate_limited', 'provider_unavailable'],
    ['has had enough', { kind: 'status', status: 429 }, 'rate_limited', 'rate_limited'],
    ['gives no token', { kind: 'status', status: 401, stage: 'auth' }, 'credentials', 'credentials_refused'],
    ['is not what it says', { kind: 'status', status: 405 }, 'permanent', 'unexpected_answer'],
  ] as const)('let the second send when the first %s, in the same attempt', async (_, fault, outcome, code) => {
    await faults({ ...fault, ...ORANGE });
    const failovers: unknown[] = [];
    const sender = make({}, { onFailover: (...failover) => failovers.push(failover) });
    expect(await one(sender)).toMatchObject({
      kind: 'sent',
      provider: 'twilio',
      tried: [{ provider: 'orange', outcome, code }],
    });
    expect(await received()).toBe(1);
    expect(failovers).toEqual([['sms', 'orange', 'twilio', outcome]]);
  });

  it('let the second send when the first cannot be reached', async () => {
    const gone = await startSandboxClient();
    await gone.close();
    expect(await one(make({ ORANGE_BASE_URL: gone.httpUrl }))).toMatchObject({
      kind: 'sent',
      provider: 'twilio',
      tried: [{ provider: 'orange', outcome: 'provider_down' }],
    });
  });

  it('leave the second one half of the time when the first hangs', async () => {
    await faults({ kind: 'hang', ...ORANGE });
    const outcome = await one(make({ SMS_TIMEOUT_MS: '1000' }));
    expect(outcome).toMatchObject({ provider: 'twilio', tried: [{ outcome: 'uncertain', code: 'no_answer' }] });
  });

  it('never send twice what may have arrived and is to arrive at most once', async () => {
    await faults({ kind: 'drop', ...ORANGE });
    expect(await one(make(), { atMostOnce: true })).toMatchObject({ kind: 'uncertain', provider: 'orange' });
    expect(await received()).toBe(1);
    expect(await one(make())).toMatchObject({ kind: 'sent', provider: 'twilio', tried: [{ outcome: 'uncertain' }] });
    expect(await received()).toBe(3);
  });

  it('take no refusal of the second for certain while the first may have sent it', async () => {
    await faults({ kind: 'drop', ...ORANGE }, { kind: 'status', errorCode: '21211', provider: 'twilio' });
    expect(await one(make())).toMatchObject({
      kind: 'uncertain',
      provider: 'orange',
      tried: [{ provider: 'twilio', outcome: 'permanent' }],
    });
  });

  it('do not ask the second about what is refused for good', async () => {
    await faults({ kind: 'status', errorCode: 'SVC0004', ...ORANGE });
    expect(await one(make())).toMatchObject({ kind: 'permanent', provider: 'orange', code: 'number_refused' });
    expect(await received()).toBe(0);
  });

  it('say the worst where both fail, and who else was tried', async () => {
    await faults({ kind: 'status', status: 429, ...ORANGE }, { kind: 'status', status: 500, provider: 'twilio' });
    expect(await one(make())).toMatchObject({
      kind: 'transient',
      provider: 'twilio',
      tried: [{ provider: 'orange', outcome: 'rate_limited' }],
    });
  });

  it('are asked in the order of the service', async () => {
    const sender = make({ PROVIDERS_BY_SERVICE: 'test/sms=twilio;wellness/sms=twilio,orange' });
    expect(await one(sender)).toMatchObject({ provider: 'twilio' });
    expect(await one(sender, { serviceName: 'diabetes' })).toMatchObject({ provider: 'orange' });
    expect(sender.figures().map(({ services }) => services)).toEqual([
      [
        { serviceName: 'wellness', order: 2 },
        { serviceName: '*', order: 1 },
      ],
      [
        { serviceName: 'test', order: 1 },
        { serviceName: 'wellness', order: 1 },
        { serviceName: '*', order: 2 },
      ],
    ]);
    await faults({ kind: 'status', status: 500, provider: 'twilio' });
    expect(await one(sender)).toMatchObject({ kind: 'transient', provider: 'twilio' });
  });

  it('stop when the lease ends', async () => {
    const outcome = (await make().send([request('a')], AbortSignal.abort()))[0];
    expect(outcome).toMatchObject({ kind: 'transient', code: 'lease_ended', provider: 'orange' });
    expect(await received()).toBe(0);
  });
});

describe('a disabled provider', () => {
  const disabled = new Set<string>();
  const switches = { isDisabled: (channel: string, name: string) => disabled.has(`${channel}/${name}`) };
  beforeEach(() => disabled.clear());

  it('is passed over, and with all of them disabled nothing is sent', async () => {
    const sender = make({}, { switches });
    disabled.add('sms/orange');
    expect(await one(sender)).toMatchObject({
      provider: 'twilio',
      tried: [{ provider: 'orange', outcome: 'held', code: 'provider_disabled' }],
    });
    disabled.add('sms/twilio');
    expect(await one(sender)).toMatchObject({
      kind: 'held',
      reason: 'provider',
      code: 'provider_disabled',
      place: null,
    });
    expect(await received()).toBe(1);
  });
});

describe('a limit of a provider', () => {
  it('lets the next one take over; with none left, a place is reserved, and good when its time has come', async () => {
    const limits = new MemoryProviderLimits();
    const sender = make({}, { limits });
    limits.left.set('sms/orange', 1);
    limits.left.set('sms/twilio', 1);
    expect(await one(sender)).toMatchObject({ provider: 'orange' });
    expect(await one(sender)).toMatchObject({
      provider: 'twilio',
      tried: [{ provider: 'orange', outcome: 'held', code: 'provider_limit' }],
    });
    const outcome = await one(sender);
    expect(outcome).toMatchObject({ kind: 'held', reason: 'rate_limit', place: { of: 'sms/orange' } });
    const place = outcome?.kind === 'held' ? outcome.place : null;
    expect(await one(sender, { place })).toMatchObject({ kind: 'sent', provider: 'orange' });
    expect(await received()).toBe(3);
  });
});

describe('the breaker', () => {
  const broken = async (sender: ChannelSender): Promise<void> => {
    await sender.send(
      Array.from({ length: 10 }, (_, index) => request(`n${index}`)),
      lease(),
    );
  };

  it('opens when half of the last calls failed: the first is not even asked any more', async () => {
    await faults({ kind: 'status', status: 500, ...ORANGE });
    const health: unknown[] = [];
    const sender = make({ PROVIDER_HALF_OPEN_MS: '60000' }, { onHealth: (...change) => health.push(change) });
    await broken(sender);
    const before = await struck();
    expect(await one(sender)).toMatchObject({
      provider: 'twilio',
      tried: [{ outcome: 'held', code: 'provider_down' }],
    });
    expect(await struck()).toBe(before);
    expect(health).toContainEqual(['sms', 'orange', 'down']);
    expect(sender.figures()).toMatchObject([
      { name: 'orange', health: 'down', lastError: { code: 'provider_unavailable' }, counts: { failed: 10 } },
      { name: 'twilio', health: 'up', lastError: null, counts: { sent: 11 } },
    ]);
  });

  it('with one provider fails at once, uses no attempt, and asks to come back when it may probe', async () => {
    await faults({ kind: 'status', status: 500 });
    const sender = make({ SMS_PROVIDERS: 'orange', PROVIDER_HALF_OPEN_MS: '60000' });
    await broken(sender);
    const outcome = await one(sender);
    expect(outcome).toMatchObject({ kind: 'held', reason: 'provider', code: 'provider_down', provider: 'orange' });
    expect(outcome?.kind === 'held' && outcome.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it('lets one message probe, and closes when that one is sent', async () => {
    await faults({ kind: 'status', status: 500, ...ORANGE });
    const sender = make({ SMS_PROVIDERS: 'orange', PROVIDER_HALF_OPEN_MS: '100' });
    await broken(sender);
    await faults({ kind: 'latency', latencyMs: 300 });
    let outcomes: Outcome[];
    do outcomes = await sender.send([request('p1'), request('p2')], lease());
    while (outcomes.every(({ kind }) => kind === 'held'));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['held', 'sent']);
    expect(sender.figures()[0]?.health).toBe('up');
    expect(await one(sender)).toMatchObject({ kind: 'sent' });
  });

  it('stays closed for what is no fault of the provider', async () => {
    await faults({ kind: 'status', errorCode: 'SVC0004', ...ORANGE });
    const sender = make({ SMS_PROVIDERS: 'orange' });
    await broken(sender);
    await broken(sender);
    expect(sender.figures()[0]).toMatchObject({ health: 'up', counts: { failed: 20 } });
  });
});
