import { describe, expect, it } from '@jest/globals';
import type { DeliveryStatus, ErrorClass, OutcomeKind } from '#contracts/vocabulary';
import { notificationOf } from '#testing/memory-delivery';
import type { Delivery, Notification } from './notification.js';
import type { Outcome, TimedOutcome } from './outcome.js';
import { closed, rollUp, settle, settleWithout } from './settle.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const TOKEN = 'lease-1';

const outcomeOf = (kind: OutcomeKind, over: { retryAfterMs?: number | null; class?: ErrorClass } = {}): Outcome => {
  if (kind === 'sent') return { kind, provider: 'p', providerMessageId: 'm-1', providerStatus: '200' };
  const failure = {
    provider: 'p',
    code: `code_${kind}`,
    class: over.class ?? 'provider',
    message: 'no',
    providerStatus: '503',
  };
  if (kind === 'held') return { kind, reason: 'provider', retryAfterMs: 9_000, place: null, ...failure };
  return kind === 'rate_limited' ? { kind, retryAfterMs: over.retryAfterMs ?? null, ...failure } : { kind, ...failure };
};
const timed = (outcome: Outcome): TimedOutcome => ({ outcome, startedAt: NOW, durationMs: 3 });

const delivery = (n: number, status: DeliveryStatus = 'open', over: Partial<Delivery> = {}): Delivery => ({
  id: `n-${n}`,
  target: `t-${n}`,
  status,
  provider: null,
  providerMessageId: null,
  attempts: [],
  ...over,
});

/** One notification with a delivery for each outcome; null for one that was sent before. */
const settled = (outcomes: (Outcome | null)[], over: Partial<Notification> = {}, random = 0) => {
  const deliveries = outcomes.map((outcome, index) => delivery(index + 1, outcome === null ? 'sent' : 'open'));
  const notification = notificationOf({ state: 'sending', lease: { token: TOKEN, until: NOW }, deliveries, ...over });
  const map = new Map(
    outcomes.flatMap((outcome, index) => (outcome === null ? [] : [[`n-${index + 1}`, timed(outcome)] as const])),
  );
  return settle(notification, map, NOW, random);
};

describe('roll-up of deliveries', () => {
  it.each<[DeliveryStatus[], ReturnType<typeof rollUp>]>([
    [['open', 'sent'], 'open'],
    [['sent', 'failed', 'uncertain'], 'sent'],
    [['uncertain', 'failed'], 'uncertain'],
    [['failed', 'failed'], 'failed'],
    [[], 'failed'],
  ])('%j is %s', (statuses, expected) => {
    expect(rollUp(statuses.map((status, index) => delivery(index, status)))).toBe(expected);
  });

  it('closes only what is open', () => {
    const deliveries = (['open', 'sent', 'failed', 'uncertain'] as const).map((status, index) =>
      delivery(index, status),
    );
    expect(closed(deliveries, 'uncertain').map(({ status }) => status)).toEqual([
      'uncertain',
      'sent',
      'failed',
      'uncertain',
    ]);
  });
});

describe('one outcome of the first attempt', () => {
  it.each<[OutcomeKind, boolean, string, DeliveryStatus, number, string | null]>([
    ['sent', false, 'sent', 'sent', 1, null],
    ['permanent', false, 'failed', 'failed', 1, null],
    ['recipient_gone', false, 'failed', 'failed', 1, null],
    ['transient', false, 'approved', 'open', 1, 'retry'],
    ['credentials', false, 'approved', 'open', 1, 'provider'],
    ['provider_down', false, 'approved', 'open', 1, 'provider'],
    ['rate_limited', false, 'approved', 'open', 0, 'rate_limit'],
    ['uncertain', false, 'approved', 'open', 1, 'retry'],
    ['uncertain', true, 'uncertain', 'uncertain', 1, null],
    ['transient', true, 'approved', 'open', 1, 'retry'],
  ])('%s (at most once: %s) leads to %s', (kind, atMostOnce, state, status, attempt, waiting) => {
    const result = settled([outcomeOf(kind)], { atMostOnce });
    expect(result).toMatchObject({ state, attempt, token: TOKEN });
    expect(result.deliveries[0]?.status).toBe(status);
    expect(result.wait?.reason ?? null).toBe(waiting);
    expect(result.lastError?.code ?? null).toBe(kind === 'sent' ? null : `code_${kind}`);
    expect(result.deliveries[0]?.attempts).toEqual([
      {
        number: 1,
        at: NOW,
        durationMs: 3,
        provider: 'p',
        outcome: kind,
        code: kind === 'sent' ? null : `code_${kind}`,
        providerStatus: kind === 'sent' ? '200' : '503',
        retryAfterMs: null,
      },
    ]);
  });

  it('shows status and reason of where it leads', () => {
    expect(settled([outcomeOf('sent')])).toMatchObject({ status: 'sent', reason: null });
    expect(settled([outcomeOf('permanent')])).toMatchObject({ status: 'failed', reason: 'code_permanent' });
    expect(settled([outcomeOf('transient')])).toMatchObject({ status: 'pending', reason: 'code_transient' });
  });

  it('names targets that are gone', () => {
    expect(settled([outcomeOf('recipient_gone'), outcomeOf('permanent')]).goneTargets).toEqual(['t-1']);
  });
});

describe('what was held', () => {
  const held = (over: Partial<Outcome & { kind: 'held' }> = {}): Outcome =>
    ({ ...outcomeOf('held'), ...over }) as Outcome;
  const place = { of: 'sms/orange', at: new Date(NOW.getTime() + 90_500) };

  it('uses no attempt and leaves none behind, however often', () => {
    const result = settled([held()], { attempt: 3 });
    expect(result).toMatchObject({ state: 'approved', attempt: 3, lastError: { code: 'code_held' } });
    expect(result.wait).toMatchObject({ reason: 'provider', rung: 16, until: null });
    expect(result.deliveries[0]?.attempts).toEqual([]);
  });

  it('waits in the database until its place is due, and no longer', () => {
    const result = settled([held({ reason: 'rate_limit', retryAfterMs: 90_500, place })]);
    expect(result.wait).toMatchObject({ reason: 'rate_limit', until: place.at });
    expect(result.deliveries[0]).toMatchObject({ status: 'open', place });
  });

  it('waits in the database while its provider is disabled', () => {
    const result = settled([held({ code: 'provider_disabled', retryAfterMs: 30_000 })]);
    expect(result.wait).toMatchObject({ reason: 'provider', until: new Date(NOW.getTime() + 30_000) });
  });

  it('gives up its place once it was used, and an attempt beside it counts', () => {
    const result = settled([outcomeOf('transient'), held()], {
      deliveries: [delivery(1, 'open', { place }), delivery(2)],
    });
    expect(result).toMatchObject({ attempt: 1, wait: { reason: 'retry', until: null } });
    expect(result.deliveries[0]).not.toHaveProperty('place');
    expect(settled([held(), outcomeOf('rate_limited')]).wait?.reason).toBe('provider');
  });

  it('records who was tried before', () => {
    const tried = [{ provider: 'orange', outcome: 'transient', code: 'timeout', providerStatus: null }] as const;
    const result = settled([{ ...outcomeOf('sent'), tried }]);
    expect(result.deliveries[0]?.attempts).toMatchObject([{ provider: 'p', outcome: 'sent', tried }]);
  });
});

describe('retries', () => {
  it.each([
    [0, 2000],
    [1, 4000],
    [2, 8000],
  ])('after %i attempts that were used before, waits at least %i ms', (attempt, ms) => {
    const result = settled([outcomeOf('transient')], { attempt, channel: 'email' });
    expect(result).toMatchObject({ state: 'approved', attempt: attempt + 1 });
    expect(result.wait?.ms).toBe(ms);
  });

  it('gives up after the last attempt', () => {
    const result = settled([outcomeOf('transient')], { attempt: 3, channel: 'email' });
    expect(result).toMatchObject({
      state: 'failed',
      status: 'failed',
      attempt: 4,
      wait: null,
      reason: 'code_transient',
    });
    expect(result.deliveries[0]?.status).toBe('failed');
  });

  it('uses no attempt while all that is open was only asked to wait, however often', () => {
    const result = settled([outcomeOf('rate_limited', { retryAfterMs: 5000 }), null], { attempt: 3 });
    expect(result).toMatchObject({ state: 'approved', attempt: 3, wait: { reason: 'rate_limit', ms: 8000 } });
  });

  it('uses one when something else failed beside it, and waits for the longer of both', () => {
    const result = settled([outcomeOf('rate_limited', { retryAfterMs: 5000 }), outcomeOf('transient')]);
    expect(result).toMatchObject({ attempt: 1, wait: { reason: 'retry', ms: 8000 } });
  });

  it.each([
    [null, 32_000],
    [0, 1000],
    [3_600_000, 3_600_000],
    [2 * 3_600_000, 2 * 3_600_000],
    [365 * 86_400_000, 7 * 86_400_000],
  ])('a provider that asks for %s ms gets %i ms', (retryAfterMs, ms) => {
    expect(settled([outcomeOf('rate_limited', { retryAfterMs })]).wait?.ms).toBe(ms);
  });

  it('chooses one of three queues by jitter', () => {
    const waits = [0, 0.5, 0.9].map((random) => settled([outcomeOf('transient')], {}, random).wait);
    expect(waits.map((wait) => wait?.variant)).toEqual([1, 2, 3]);
    expect(waits.map((wait) => wait?.ms)).toEqual([2000, 2200, 2400]);
  });
});

describe('several deliveries', () => {
  it('waits for those that are open, and leaves the others', () => {
    const result = settled([null, outcomeOf('permanent'), outcomeOf('transient')]);
    expect(result.state).toBe('approved');
    expect(result.deliveries.map(({ status }) => status)).toEqual(['sent', 'failed', 'open']);
    expect(result.deliveries[0]?.attempts).toEqual([]);
  });

  it('is sent once one was sent and none is open', () => {
    const result = settled([null, outcomeOf('permanent')]);
    expect(result).toMatchObject({ state: 'sent', reason: null });
    expect(result.lastError?.code).toBe('code_permanent');
  });

  it('is uncertain when none was sent and of one nobody knows', () => {
    expect(settled([outcomeOf('uncertain'), outcomeOf('permanent')], { atMostOnce: true }).state).toBe('uncertain');
  });

  it('fails by what was worth another attempt, whatever else failed', () => {
    const permanent = outcomeOf('permanent', { class: 'recipient' });
    const result = settled([outcomeOf('transient'), permanent], { attempt: 3 });
    expect(result).toMatchObject({ state: 'failed', lastError: { code: 'code_transient', class: 'provider' } });
  });

  it('keeps the twenty latest attempts', () => {
    const attempts = Array.from({ length: 20 }, (_, index) => ({
      number: index + 1,
      at: NOW,
      durationMs: 1,
      provider: 'p',
      outcome: 'rate_limited' as const,
      code: null,
      providerStatus: null,
      retryAfterMs: null,
    }));
    const notification = notificationOf({ deliveries: [delivery(1, 'open', { attempts })] });
    const result = settle(notification, new Map([['n-1', timed(outcomeOf('sent'))]]), NOW, 0);
    expect(result.deliveries[0]?.attempts).toHaveLength(20);
    expect(result.deliveries[0]?.attempts.at(-1)?.outcome).toBe('sent');
    expect(result.token).toBe('');
  });

  it('keeps the last error of an earlier attempt when nothing failed in this one', () => {
    const lastError = { code: 'before', class: 'provider' as const, message: 'no', at: NOW };
    expect(settled([outcomeOf('sent')], { lastError }).lastError).toBe(lastError);
  });
});

describe('a lease that ended before all were tried', () => {
  const deliveries = [delivery(1), delivery(2)];

  it('comes back soon, and uses an attempt for those that were', () => {
    const notification = notificationOf({ state: 'sending', attempt: 1, deliveries });
    const result = settle(notification, new Map([['n-1', timed(outcomeOf('sent'))]]), NOW, 0);
    expect(result).toMatchObject({ state: 'approved', attempt: 2, reason: 'lease_ended', wait: { ms: 1000 } });
    expect(result.deliveries.map(({ status }) => status)).toEqual(['sent', 'open']);
  });

  it('uses none when nothing was tried', () => {
    const notification = notificationOf({ state: 'sending', attempt: 1, deliveries });
    expect(settle(notification, new Map(), NOW, 0)).toMatchObject({ state: 'approved', attempt: 1 });
  });
});

describe('what could not be tried', () => {
  const error = { code: 'expired', class: 'expired' as const, message: 'too late' };

  it.each<['failed' | 'expired' | 'uncertain', DeliveryStatus, string]>([
    ['failed', 'failed', 'failed'],
    ['expired', 'failed', 'failed'],
    ['uncertain', 'uncertain', 'pending'],
  ])('ends as %s', (state, status, shown) => {
    const notification = notificationOf({
      lease: { token: TOKEN, until: NOW },
      attempt: 2,
      deliveries: [delivery(1), delivery(2, 'failed')],
    });
    const result = settleWithout(notification, state, error, NOW);
    expect(result).toMatchObject({ state, status: shown, attempt: 2, token: TOKEN, reason: 'expired', wait: null });
    expect(result.deliveries.map((one) => one.status)).toEqual([status, 'failed']);
    expect(result.lastError).toEqual({ ...error, at: NOW });
  });

  it('is sent all the same when an earlier attempt reached a target', () => {
    const notification = notificationOf({ deliveries: [delivery(1, 'sent'), delivery(2)] });
    const result = settleWithout(notification, 'expired', error, NOW);
    expect(result).toMatchObject({ state: 'sent', status: 'sent', token: '' });
    expect(result.deliveries.map(({ status }) => status)).toEqual(['sent', 'failed']);
  });
});
