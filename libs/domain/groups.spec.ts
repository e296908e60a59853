import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Channel, State } from '#contracts/vocabulary';
import { notificationOf } from '#testing/memory-delivery';
import { grouped, type GroupPlan, groupStatusOf, groupStep, isHeldBack } from './groups.js';
import type { Notification, Transition } from './notification.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
const FALLBACK: GroupPlan = { mode: 'fallback', fallbackAfterSeconds: 60, skipped: [] };
const ERROR = { code: 'unavailable', class: 'provider', message: 'no', at: NOW } as const;

const groupOf = (plan: GroupPlan, channels: Channel[], over: Partial<Notification> = {}): Notification[] =>
  grouped(
    channels.map((channel) => notificationOf({ channel, groupId: 'a'.repeat(24), ...over })),
    plan,
  );
const moved = (one: Notification, state: State, over: Partial<Notification> = {}, step: Partial<Transition> = {}) => ({
  ...one,
  state,
  waiting: null,
  history: [...one.history, { from: one.state, to: state, at: NOW, actor: 'dispatcher', reason: null, ...step }],
  ...over,
});
/** What the step would write. */
const change = (members: readonly Notification[], now: Date) => {
  const { change: planned } = groupStep(members, now);
  const index = members.findIndex(({ id }) => id === planned?.id);
  return planned === null
    ? null
    : { index, to: planned.state, reason: planned.transition?.reason, set: planned.set, outbox: planned.outbox };
};

let push: Notification;
let sms: Notification;
let email: Notification;
const make = (plan: GroupPlan = FALLBACK, over: Partial<Notification> = {}): void => {
  [push, sms, email] = groupOf(plan, ['push', 'sms', 'email'], over) as [Notification, Notification, Notification];
};
const failed = (one: Notification, over: Partial<Notification> = {}): Notification =>
  moved(one, 'failed', { lastError: ERROR, failedAt: NOW, ...over });
const turn = (one: Notification): Notification => moved(one, 'approved', { nextAttemptAt: at(60) }, { at: at(60) });
beforeEach(() => make());

describe('a new group', () => {
  it('with fallback holds back all but the first', () => {
    expect(push).toMatchObject({ waiting: null, groupDueAt: at(60), group: { mode: 'fallback', position: 0 } });
    for (const one of [sms, email]) {
      expect(isHeldBack(one)).toBe(true);
      expect(one).toMatchObject({ nextAttemptAt: null, groupDueAt: null, dueAt: null });
    }
  });

  it('counts the time from when the first is due', () => {
    const [first, second] = groupOf(FALLBACK, ['push', 'sms'], { dueAt: at(3600), sendAt: at(3600) });
    expect(first?.groupDueAt).toEqual(at(3660));
    expect(second).toMatchObject({ dueAt: null, waiting: { reason: 'fallback' } });
  });

  it('for all lets each go its way', () => {
    for (const one of groupOf({ ...FALLBACK, mode: 'all' }, ['push', 'email'])) {
      expect(one).toMatchObject({ state: 'approved', waiting: null, groupDueAt: null });
      expect(groupStep([one], at(1e6))).toEqual({ change: null, lookAgain: null });
    }
  });

  it('of drafts waits for approval', () => {
    make(FALLBACK, { state: 'draft', nextAttemptAt: null, approvedAt: null });
    for (const one of [push, sms]) expect(one).toMatchObject({ state: 'draft', groupDueAt: null });
    expect(groupStep([push, sms], at(1e6))).toEqual({ change: null, lookAgain: null });
  });
});

describe('the next one', () => {
  it('waits while the first may arrive', () => {
    for (const state of ['approved', 'sending', 'uncertain'] as const)
      expect(groupStep([{ ...push, state }, sms], at(59))).toEqual({
        change: null,
        lookAgain: { id: push.id, at: at(60) },
      });
  });

  it('has its turn when the first failed, which is not retried by itself any more', () => {
    const forbidden = change([failed(push), sms, email], at(1));
    expect(forbidden).toMatchObject({ index: 0, set: { retryForbidden: true }, outbox: { deadLetter: true } });
    const begun = change([failed(push, { retryForbidden: true }), sms, email], at(1));
    expect(begun).toMatchObject({ index: 1, to: 'approved', reason: 'fallback_failed', set: { waiting: null } });
    expect(begun?.outbox).toMatchObject({ wake: true, status: false });
  });

  it('has its turn at once where a retry could not help', () => {
    expect(change([failed(push, { lastError: { ...ERROR, class: 'recipient' } }), sms], at(1))?.index).toBe(1);
    expect(change([moved(push, 'expired', { lastError: ERROR }), sms], at(1))).toMatchObject({
      index: 1,
      reason: 'fallback_failed',
    });
  });

  it('keeps the automatic retry of the last one', () => {
    expect(change([moved(push, 'expired'), failed(turn(sms))], at(1))).toBeNull();
  });

  it('has its turn when the first was not even sent in time, and is not sent later', () => {
    const late = change([push, sms], at(60));
    expect(late).toMatchObject({ index: 0, to: 'cancelled', reason: 'not_sent_in_time' });
    const gone = moved(push, 'cancelled', {}, { actor: 'scheduler', reason: 'not_sent_in_time' });
    expect(change([gone, sms], at(61))).toMatchObject({ index: 1, reason: 'fallback_not_delivered' });
  });

  it('waits for what is being sent, or is in doubt, however late', () => {
    for (const state of ['sending', 'uncertain'] as const)
      expect(groupStep([{ ...push, state }, sms], at(61)).change).toBeNull();
  });

  it('has its turn when nobody said that the first arrived, counted from its sending', () => {
    const sent = moved(push, 'sent', { sentAt: at(30) });
    expect(groupStep([sent, sms], at(89))).toEqual({ change: null, lookAgain: { id: push.id, at: at(90) } });
    expect(change([sent, sms], at(90))).toMatchObject({ index: 1, reason: 'fallback_not_delivered' });
  });

  it('goes on to the third', () => {
    const sent = moved(push, 'sent', { sentAt: NOW });
    expect(groupStep([sent, turn(sms), email], at(61))).toMatchObject({ lookAgain: { id: sms.id } });
    expect(change([sent, failed(turn(sms), { retryForbidden: true }), email], at(61))?.index).toBe(2);
  });

  it('is skipped when somebody took it out', () => {
    const out = moved(sms, 'cancelled', {}, { actor: 'key:1' });
    const gone = failed(push, { retryForbidden: true });
    expect(change([gone, out, email], at(1))).toMatchObject({ index: 2, reason: 'fallback_skipped' });
  });
});

describe('what is not needed', () => {
  it.each(['deliveredAt', 'openedAt', 'readAt'] as const)('ends when one before has %s', (mark) => {
    const sent = moved(push, 'sent', { sentAt: NOW, [mark]: NOW });
    expect(change([sent, sms, email], at(1e6))).toMatchObject({ index: 1, to: 'cancelled', reason: 'not_needed' });
    const rest = moved(sms, 'cancelled', {}, { reason: 'not_needed' });
    expect(change([sent, rest, email], at(1e6))?.index).toBe(2);
  });

  it('ends when one is sent by a channel without receipts', () => {
    const [first, second] = groupOf(FALLBACK, ['email', 'push']) as [Notification, Notification];
    expect(change([moved(first, 'sent', { sentAt: NOW }), second], at(1))?.reason).toBe('not_needed');
  });

  it('ends when one is sent, where no time was given', () => {
    make({ ...FALLBACK, fallbackAfterSeconds: null });
    expect(change([moved(push, 'sent', { sentAt: NOW }), sms], at(1))?.reason).toBe('not_needed');
    // Sending may take as long as it takes.
    expect(groupStep([push, sms], at(1e5)).change).toBeNull();
  });

  it('ends when a receipt comes late and the next one is not sent yet, but is not taken from a dispatcher', () => {
    const arrived = moved(push, 'sent', { sentAt: NOW, deliveredAt: at(70) });
    expect(change([arrived, turn(sms)], at(71))).toMatchObject({ index: 1, reason: 'not_needed' });
    expect(change([arrived, { ...turn(sms), state: 'sending' }], at(71))).toBeNull();
  });

  it.each<[string, Notification['state'], Partial<Transition>]>([
    ['cancelled', 'cancelled', { actor: 'key:1' }],
    ['rejected', 'rejected', { actor: 'key:1' }],
  ])('ends with the group when somebody has %s the one whose turn it was', (_what, state, step) => {
    expect(change([moved(push, state, {}, step), sms], at(1))).toMatchObject({ index: 1, reason: 'group_ended' });
    expect(change([failed(push, { retryForbidden: true }), moved(turn(sms), 'cancelled'), email], at(1))).toMatchObject(
      {
        index: 2,
        reason: 'group_ended',
      },
    );
  });

  it('ends when the first expired as a draft', () => {
    make(FALLBACK, { state: 'draft', approvedAt: null });
    expect(change([moved(push, 'expired'), sms], at(1))).toMatchObject({ index: 1, reason: 'group_ended' });
  });
});

describe('a draft in between', () => {
  it('keeps its turn until it is approved, and the one before its retry', () => {
    const draft: Notification = { ...sms, state: 'draft', waiting: { reason: 'approval', until: null } };
    expect(change([failed(push), draft], at(1))).toBeNull();
    expect(change([push, draft], at(61))).toBeNull();
  });
});

describe('the status of a group', () => {
  const of = (plan: GroupPlan, ...states: State[]) =>
    groupStatusOf(groupOf(plan, ['push', 'email']).map((one, index) => ({ ...one, state: states[index] ?? 'draft' })));
  it.each<[State, State, string, string]>([
    ['approved', 'approved', 'pending', 'pending'],
    ['sent', 'approved', 'pending', 'sent'],
    ['sent', 'sent', 'sent', 'sent'],
    ['sent', 'failed', 'partial', 'sent'],
    ['failed', 'approved', 'pending', 'pending'],
    ['failed', 'failed', 'failed', 'failed'],
    ['failed', 'cancelled', 'failed', 'failed'],
    ['cancelled', 'sent', 'partial', 'sent'],
    ['cancelled', 'rejected', 'cancelled', 'cancelled'],
  ])('%s and %s is %s, with fallback %s', (first, second, all, fallback) => {
    expect(of({ ...FALLBACK, mode: 'all' }, first, second)).toBe(all);
    expect(of(FALLBACK, first, second)).toBe(fallback);
  });
});
