import { describe, expect, it } from '@jest/globals';
import { ERROR_CLASSES, type ErrorClass } from '#contracts/vocabulary';
import { notificationOf } from '#testing/memory-delivery';
import { alertGroup } from './alert.js';
import { announcementOf, atOnce, markedWith, RELAY_GRACE_MS, transitionTo } from './change.js';
import { canRecover } from './dead-letter.js';
import { deliveriesOf } from './deliveries.js';
import type { Delivery } from './notification.js';
import { isAutomaticRound, nextRound, SCHEDULER } from './round.js';

const AT = new Date('2026-11-21T08:00:00.000Z');
const LATER = new Date(AT.getTime() + 60_000);
const step = { at: AT, actor: 'key:1', reason: 'why', set: {} };

describe('a transition', () => {
  it('names what it was decided on, what follows, and what it owes', () => {
    const notification = notificationOf({ state: 'draft', version: 7, approvedAt: null });
    const { id, serviceName } = notification;
    expect(transitionTo(notification, 'approved', { ...step, set: { approvedAt: AT }, wake: true })).toEqual({
      id,
      serviceName,
      version: 7,
      state: 'approved',
      transition: { from: 'draft', to: 'approved', at: AT, actor: 'key:1', reason: 'why' },
      set: { approvedAt: AT },
      outbox: {
        at: new Date(AT.getTime() + RELAY_GRACE_MS),
        wake: true,
        status: true,
        previousStatus: 'pending',
        deadLetter: false,
      },
    });
  });

  it('that the table does not have is a mistake of ours', () => {
    expect(() => transitionTo(notificationOf({ state: 'rejected' }), 'approved', step)).toThrow('no transition');
  });

  it('owes no status where nobody outside can see it', () => {
    const change = transitionTo(notificationOf({ state: 'sending' }), 'approved', { ...step, visible: false });
    expect(change.outbox.status).toBe(false);
  });
});

describe('a mark', () => {
  it('changes no state', () => {
    const change = markedWith(notificationOf({ state: 'sent' }), { at: AT, set: { readAt: AT }, deadLetter: true });
    expect(change).not.toHaveProperty('state');
    expect(change.outbox).toMatchObject({ previousStatus: 'sent', status: true, wake: false, deadLetter: true });
  });
});

describe('what is announced', () => {
  const outbox = { at: AT, wake: true, status: true, previousStatus: 'pending' as const, deadLetter: true };

  it.each([
    ['none', { state: 'cancelled' as const, nextAttemptAt: null }],
    ['now', { state: 'approved' as const, nextAttemptAt: atOnce(AT) }],
    ['now', { state: 'approved' as const, nextAttemptAt: null }],
    ['later', { state: 'approved' as const, nextAttemptAt: LATER }],
  ])('wakes %s', (wake, over) => {
    expect(announcementOf(notificationOf(over), outbox, AT)).toMatchObject({ wake, deadLetter: true });
  });

  it('is only what is owed', () => {
    const announcement = announcementOf(notificationOf({}), { ...outbox, wake: false, status: false }, AT);
    expect(announcement).toMatchObject({ wake: 'none', status: null });
    expect(announcementOf(notificationOf({}), outbox, AT).status).toEqual({ previous: 'pending' });
  });
});

describe('the next round', () => {
  const failedBy = (id: string, outcome: 'permanent' | 'recipient_gone'): Delivery => ({
    id,
    target: id,
    status: 'failed',
    provider: 'p',
    providerMessageId: null,
    attempts: [
      {
        number: 1,
        at: AT,
        durationMs: 1,
        provider: 'p',
        outcome,
        code: null,
        providerStatus: null,
        retryAfterMs: null,
      },
    ],
  });

  it('begins at once, with all its attempts', () => {
    const change = nextRound(
      notificationOf({ state: 'failed', attempt: 4, claims: 1, failedAt: AT }),
      AT,
      'key:1',
      null,
    );
    expect(change).toMatchObject({
      state: 'approved',
      set: {
        round: 2,
        attempt: 0,
        claims: 0,
        failedAt: null,
        retryForbidden: false,
        waiting: null,
        nextAttemptAt: atOnce(AT),
      },
      outbox: { wake: true, previousStatus: 'failed' },
    });
  });

  it('opens what failed, but for targets that are gone', () => {
    const deliveries = [failedBy('a', 'permanent'), failedBy('b', 'recipient_gone')];
    const change = nextRound(notificationOf({ state: 'failed', deliveries }), AT, 'key:1', null);
    expect(change.set.deliveries?.map(({ status }) => status)).toEqual(['open', 'failed']);
  });

  it('opens those too when there are no others', () => {
    const deliveries = [failedBy('a', 'recipient_gone')];
    const change = nextRound(notificationOf({ state: 'failed', deliveries }), AT, 'key:1', null);
    expect(change.set.deliveries?.map(({ status }) => status)).toEqual(['open']);
  });

  it('knows whether Carillon itself began it', () => {
    const begun = (actor: string) => ({
      history: [{ from: 'failed' as const, to: 'approved' as const, at: AT, actor, reason: null }],
    });
    expect(isAutomaticRound(begun(SCHEDULER))).toBe(true);
    expect(isAutomaticRound(begun('key:1'))).toBe(false);
    expect(isAutomaticRound({ history: [] })).toBe(false);
  });
});

describe('small rules', () => {
  it.each(
    ERROR_CLASSES.map((errorClass): [ErrorClass, boolean] => [
      errorClass,
      ['provider', 'credentials'].includes(errorClass),
    ]),
  )('%s can recover: %s', (errorClass, expected) => {
    expect(canRecover(errorClass)).toBe(expected);
  });

  it('numbers deliveries from 1', () => {
    expect(deliveriesOf('n', ['a', 'b']).map(({ id, target, status }) => [id, target, status])).toEqual([
      ['n-1', 'a', 'open'],
      ['n-2', 'b', 'open'],
    ]);
  });

  it('groups alerts by class, service and channel', () => {
    expect(alertGroup({ class: 'provider', serviceName: 'diabetes', channel: 'push' })).toBe('provider:diabetes:push');
    expect(alertGroup({ class: 'schema', serviceName: null, channel: null })).toBe('schema:-:-');
  });
});
