import { expect, it } from '@jest/globals';
import type { ProviderParts } from '#domain/providers';
import type { SendRequest } from '#domain/sender';
import { MemoryProviderLimits, openProviders } from '#testing/open-providers';
import { sendRequest } from '../conformance.js';
import { PushSender } from '../push/sender.js';
import { GatedSender } from './gated.js';
import { isOutage } from './outage.js';
import { specSandbox } from './spec-sandbox.js';

/** The real sender of push against the sandbox, behind its gate. */

const sandbox = specSandbox('push');
const { faults, received } = sandbox;

const make = (parts: Partial<ProviderParts> = {}, halfOpenMs = 60_000): GatedSender => {
  const sender = new PushSender({
    projectId: 'test',
    credential: { getAccessToken: () => Promise.resolve({ access_token: 'token', expires_in: 3600 }) },
    endpoint: new URL(sandbox.client().httpUrl),
    sockets: 10,
    concurrency: 1,
    timeoutMs: 10_000,
  });
  return sandbox.closing(new GatedSender({ sender, name: 'fcm', isOutage, halfOpenMs, parts: openProviders(parts) }));
};
const batch = (count: number, over: Partial<SendRequest> = {}): SendRequest[] =>
  Array.from({ length: count }, (_, index) => sendRequest({ target: 'token', deliveryId: `push-${index}`, ...over }));
const lease = (): AbortSignal => new AbortController().signal;

it('hands over all of a batch while the gate is open', async () => {
  const sender = make();
  expect(await sender.send(batch(3), lease())).toMatchObject(Array(3).fill({ kind: 'sent', provider: 'fcm' }));
  expect(await sender.send([], lease())).toEqual([]);
  expect(await received()).toBe(3);
  expect(sender.figures()).toMatchObject([
    { channel: 'push', name: 'fcm', health: 'up', services: [{ serviceName: '*', order: 1 }], counts: { sent: 3 } },
  ]);
});

it('sends as many of a batch as the limit has places, in their order, and reserves for the others', async () => {
  const limits = new MemoryProviderLimits();
  limits.left.set('push/fcm', 2);
  const outcomes = await make({ limits }).send(batch(4), lease());
  expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'sent', 'held', 'held']);
  expect(outcomes[3]).toMatchObject({
    code: 'provider_limit',
    reason: 'rate_limit',
    place: { of: 'push/fcm', at: expect.any(Date) as unknown },
  });
  expect(await received()).toBe(2);
});

it('lets pass who comes with its own place, and with no other', async () => {
  const limits = new MemoryProviderLimits();
  limits.left.set('push/fcm', 0);
  const sender = make({ limits });
  const own = batch(1, { place: { of: 'push/fcm', at: new Date() } });
  const strange = batch(1, { place: { of: 'sms/orange', at: new Date() } });
  const outcomes = await sender.send([...strange, ...own], lease());
  expect(outcomes.map(({ kind }) => kind)).toEqual(['held', 'sent']);
});

it('asks nothing of a disabled provider, nor of its limit, also of who has a place', async () => {
  const limits = new MemoryProviderLimits();
  limits.left.set('push/fcm', 5);
  const sender = make({ limits, switches: { isDisabled: () => true } });
  const place = { of: 'push/fcm', at: new Date() };
  const outcomes = await sender.send([...batch(1), ...batch(1, { place })], lease());
  expect(outcomes).toMatchObject(Array(2).fill({ kind: 'held', reason: 'provider', code: 'provider_disabled' }));
  expect(limits.left.get('push/fcm')).toBe(5);
  expect(await received()).toBe(0);
});

it('holds a whole batch back while the provider is down, and sends again after a probe', async () => {
  await faults({ kind: 'status', status: 500 });
  const sender = make({}, 100);
  // An outage is told by calls, and a batch is one.
  for (let call = 0; call < 10; call += 1)
    expect(await sender.send(batch(1), lease())).toMatchObject([{ kind: 'transient' }]);
  expect(sender.figures()).toMatchObject([{ health: 'down', lastError: { code: 'provider_unavailable' } }]);
  expect(await sender.send(batch(2), lease())).toMatchObject(Array(2).fill({ kind: 'held', code: 'provider_down' }));
  await faults();
  let outcomes;
  // The gate may open between the two of a batch.
  do outcomes = await sender.send(batch(2), lease());
  while (outcomes.some(({ kind }) => kind === 'held'));
  expect(outcomes).toMatchObject(Array(2).fill({ kind: 'sent' }));
  expect(sender.figures()[0]?.health).toBe('up');
});

it('takes for an outage only what all of a batch met', async () => {
  await faults({ kind: 'status', status: 500, match: 'unlucky' });
  const sender = make();
  const mixed = [...batch(1), ...batch(1, { target: 'unlucky', deliveryId: 'push-unlucky' })];
  for (let call = 0; call < 20; call += 1)
    expect((await sender.send(mixed, lease())).map(({ kind }) => kind)).toEqual(['sent', 'transient']);
  expect(sender.figures()).toMatchObject([{ health: 'up', counts: { sent: 20, failed: 20 } }]);
});
