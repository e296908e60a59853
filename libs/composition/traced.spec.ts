import { describe, expect, it } from '@jest/globals';
import type { Bulks } from '#acceptance/bulks';
import type { Door } from '#acceptance/door';
import type { Senders } from '#channels/senders';
import { Unavailable, ValidationFailed } from '#domain/errors';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import type { SpanFacts, Tracing } from '#observability/tracing';
import { aNotification } from '#testing/builders';
import { callerOf } from '#testing/callers';
import { tracedBulks, tracedDoor, tracedSenders } from './traced.js';

const CALLER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

interface Recorded {
  name: string;
  parent: string | null;
  facts: SpanFacts;
  failure: string | undefined;
}

/** Spans that have ended; the n-th that began is called `span-n`. */
const recording = (): { tracing: Tracing; spans: Recorded[] } => {
  const spans: Recorded[] = [];
  let begun = 0;
  const tracing: Tracing = {
    start: (name, _kind, parent, facts) => ({
      traceparent: `span-${(begun += 1)}`,
      end: (more, failure) => void spans.push({ name, parent, facts: { ...facts, ...more }, failure }),
    }),
    close: () => Promise.resolve(),
  };
  return { tracing, spans };
};

const command = (traceparent: string | null): Parameters<Door['accept']>[1] => ({
  input: { channel: 'push', type: 'info', body: 'secret', data: {}, metadata: {}, draft: false, atMostOnce: false },
  raw: {},
  idempotencyKey: null,
  traceparent,
  defaultOnLimit: 'fail',
});

/** A door that says which traceparent it was given. */
const doorOf = (replayed = false): Pick<Door, 'accept'> => ({
  accept: (_caller, { traceparent }) =>
    Promise.resolve({ notification: aNotification({ id: 'n-1', serviceName: 'test', traceparent }), replayed }),
});
const refusing = (error: Error): Pick<Door, 'accept'> => ({ accept: () => Promise.reject(error) });

describe('acceptance', () => {
  it('is as it was where nothing is traced', () => {
    const door = doorOf();
    const bulks: Pick<Bulks, 'accept'> = { accept: () => Promise.reject(new Error('unused')) };
    expect(tracedDoor(door, null)).toBe(door);
    expect(tracedBulks(bulks, null)).toBe(bulks);
  });

  it.each([
    [CALLER, CALLER],
    [null, 'span-1'],
  ])('is a span under %j, and what it makes has the trace of %j', async (given, kept) => {
    const { tracing, spans } = recording();
    const { notification } = await tracedDoor(doorOf(), tracing).accept(callerOf(), command(given));
    expect(notification.traceparent).toBe(kept);
    expect(spans).toEqual([
      {
        name: 'accept',
        parent: given,
        facts: {
          'carillon.channel': 'push',
          'carillon.notification.id': 'n-1',
          'carillon.service': 'test',
          'carillon.outcome': 'accepted',
        },
        failure: undefined,
      },
    ]);
  });

  it('tells a repetition', async () => {
    const { tracing, spans } = recording();
    await tracedDoor(doorOf(true), tracing).accept(callerOf(), command(null));
    expect(spans[0]?.facts).toMatchObject({ 'carillon.outcome': 'replayed' });
  });

  it.each([
    [new ValidationFailed([]), 'validation_failed', undefined],
    [new Unavailable('the database'), 'unavailable', 'unavailable'],
    [new Error('secret'), 'internal_error', 'internal_error'],
  ])('ends with what refused it, which fails only where we do: %s', async (error, outcome, failure) => {
    const { tracing, spans } = recording();
    await expect(tracedDoor(refusing(error), tracing).accept(callerOf(), command(null))).rejects.toBe(error);
    expect(spans).toEqual([expect.objectContaining({ failure })]);
    expect(spans[0]?.facts).toEqual({ 'carillon.channel': 'push', 'carillon.outcome': outcome });
  });

  it('of a bulk gives its trace to every item', async () => {
    const { tracing, spans } = recording();
    const given: (string | null)[] = [];
    const bulks = tracedBulks(
      {
        accept: (_caller, { traceparent }) => {
          given.push(traceparent);
          return Promise.resolve({ bulkId: 'b-1', serviceName: 'test', replayed: false });
        },
      },
      tracing,
    );
    await bulks.accept(callerOf(), { input: {}, raw: {}, idempotencyKey: null, traceparent: null });
    expect(given).toEqual(['span-1']);
    expect(spans).toEqual([
      {
        name: 'accept bulk',
        parent: null,
        facts: { 'carillon.bulk.id': 'b-1', 'carillon.service': 'test', 'carillon.outcome': 'accepted' },
        failure: undefined,
      },
    ]);
  });
});

const request = (deliveryId: string, traceparent: string | null): SendRequest => {
  const { id, attempt, ...rest } = aNotification({ id: 'n-1', traceparent });
  return { ...rest, notificationId: id, deliveryId, target: 'secret', attempt: attempt + 1, place: null };
};
const SENT: Outcome = { kind: 'sent', provider: 'fcm', providerMessageId: 'm', providerStatus: '200' };
const FAILED: Outcome = {
  kind: 'transient',
  provider: 'fcm',
  code: 'provider_unavailable',
  class: 'provider',
  message: 'secret',
  providerStatus: '503',
};
const senderOf = (send: ChannelSender['send']): Senders => {
  const sender = { channel: 'push', batchSize: 2, concurrency: 3, timeoutMs: 4, send, close: () => Promise.resolve() };
  return {
    push: { ...sender, channel: 'push' },
    email: { ...sender, channel: 'email' },
    sms: { ...sender, channel: 'sms' },
    webhook: { ...sender, channel: 'webhook' },
    slack: { ...sender, channel: 'slack' },
    'in-app': { ...sender, channel: 'in-app' },
  };
};

describe('delivery', () => {
  it('is as it was where nothing is traced', () => {
    const senders = senderOf(() => Promise.resolve([]));
    expect(tracedSenders(senders, null)).toBe(senders);
  });

  it('is a span for each attempt under the trace of the notification, and the provider hears of that span', async () => {
    const { tracing, spans } = recording();
    const told: (string | null)[] = [];
    const { push } = tracedSenders(
      senderOf((batch) => {
        told.push(...batch.map(({ traceparent }) => traceparent));
        return Promise.resolve([SENT, FAILED]);
      }),
      tracing,
    );
    expect(push).toMatchObject({ channel: 'push', batchSize: 2, concurrency: 3, timeoutMs: 4 });
    const outcomes = await push.send([request('n-1-1', CALLER), request('n-1-2', null)], AbortSignal.timeout(1_000));
    expect(outcomes).toEqual([SENT, FAILED]);
    expect(told).toEqual(['span-1', 'span-2']);
    const facts = { 'carillon.notification.id': 'n-1', 'carillon.channel': 'push', 'carillon.service': 'test' };
    expect(spans).toEqual([
      {
        name: 'deliver',
        parent: CALLER,
        facts: {
          ...facts,
          'carillon.delivery.id': 'n-1-1',
          'carillon.attempt': 1,
          'carillon.outcome': 'sent',
          'carillon.provider': 'fcm',
        },
        failure: undefined,
      },
      {
        name: 'deliver',
        parent: null,
        facts: {
          ...facts,
          'carillon.delivery.id': 'n-1-2',
          'carillon.attempt': 1,
          'carillon.outcome': 'transient',
          'carillon.provider': 'fcm',
          'carillon.code': 'provider_unavailable',
        },
        failure: 'provider_unavailable',
      },
    ]);
    await push.close();
  });

  it('ends its spans when a sender breaks', async () => {
    const { tracing, spans } = recording();
    const { email } = tracedSenders(
      senderOf(() => Promise.reject(new Error('secret'))),
      tracing,
    );
    await expect(email.send([request('n-1-1', null)], AbortSignal.timeout(1_000))).rejects.toThrow('secret');
    expect(spans).toEqual([expect.objectContaining({ failure: 'sender_failed' })]);
    expect(JSON.stringify(spans)).not.toContain('secret');
  });
});
