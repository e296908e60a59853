import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type ErrorClass, STATES, type State, type Status } from '#contracts/vocabulary';
import type { Transition } from './notification.js';
import {
  type Action,
  allowedActions,
  canBecome,
  isFinal,
  isInEffect,
  statusOf,
  statusOfNotification,
  TRANSITIONS,
} from './states.js';

const AT = new Date('2026-11-21T08:00:00.000Z');
const page = readFileSync(new URL('../../docs/state-machine.md', import.meta.url), 'utf8');
const step = (from: State | null, to: State): Transition => ({ from, to, at: AT, actor: 'key:1', reason: null });

describe('the table of transitions', () => {
  it('is what docs/state-machine.md draws', () => {
    const drawn = [...page.matchAll(/^ +(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`);
    const table = STATES.flatMap((from) => TRANSITIONS[from].map((to) => `${from} ${to}`));
    expect(drawn.sort()).toEqual(table.sort());
  });

  it('lets what is over be over', () => {
    const ends = [...page.matchAll(/^ +(\w+) --> \[\*\]$/gm)].map(([, state]) => state);
    expect(ends.sort()).toEqual(STATES.filter((state) => TRANSITIONS[state].length === 0).sort());
  });

  it.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))('answers for %s -> %s', (from, to) => {
    expect(canBecome(from, to)).toBe(TRANSITIONS[from].includes(to));
  });
});

describe('status', () => {
  it.each<[State, boolean, Status]>([
    ['draft', false, 'pending'],
    ['approved', true, 'pending'],
    ['sending', true, 'pending'],
    ['uncertain', true, 'pending'],
    ['sent', true, 'sent'],
    ['failed', true, 'failed'],
    ['expired', true, 'failed'],
    ['expired', false, 'cancelled'],
    ['rejected', false, 'cancelled'],
    ['cancelled', false, 'cancelled'],
    ['cancelled', true, 'cancelled'],
  ])('of %s (approved: %s) is %s', (state, wasApproved, status) => {
    expect(statusOf(state, wasApproved)).toBe(status);
    expect(statusOfNotification({ state, approvedAt: wasApproved ? AT : null })).toBe(status);
  });
});

describe('final', () => {
  const failed = (errorClass: ErrorClass | null, over: { round?: number; retryForbidden?: boolean } = {}) => ({
    state: 'failed' as const,
    round: over.round ?? 1,
    retryForbidden: over.retryForbidden ?? false,
    lastError: errorClass === null ? null : { code: 'x', class: errorClass, message: 'x', at: AT },
  });

  it.each<[State, boolean]>([
    ['draft', false],
    ['approved', false],
    ['sending', false],
    ['uncertain', false],
    ['sent', true],
    ['rejected', true],
    ['cancelled', true],
    ['expired', true],
  ])('of %s is %s', (state, final) => {
    expect(isFinal({ ...failed('provider'), state })).toBe(final);
  });

  it.each([
    ['its automatic retry is to come', failed('provider'), false],
    ['the same of credentials', failed('credentials'), false],
    ['its class cannot recover', failed('recipient'), true],
    ['its retry is spent', failed('provider', { round: 2 }), true],
    ['its retry is forbidden', failed('provider', { retryForbidden: true }), true],
    ['nothing says why', failed(null), true],
  ])('of a failed one: %s', (_, notification, final) => {
    expect(isFinal(notification)).toBe(final);
  });
});

describe('allowed actions', () => {
  it.each<[State, number, Action[]]>([
    ['draft', 1, ['approve', 'reject', 'cancel']],
    ['approved', 1, ['cancel']],
    ['sending', 1, []],
    ['sent', 1, ['read']],
    ['failed', 1, ['cancel', 'retry']],
    ['failed', 5, ['cancel', 'retry']],
    ['failed', 6, ['cancel']],
    ['uncertain', 1, ['resolve']],
    ['rejected', 1, []],
    ['cancelled', 1, []],
    ['expired', 1, []],
  ])('in %s, round %i', (state, round, actions) => {
    expect(allowedActions({ state, round }, 6)).toEqual(actions);
  });
});

describe('what is in effect', () => {
  const of = (
    state: State,
    over: Partial<Parameters<typeof isInEffect>[0]> = {},
  ): Parameters<typeof isInEffect>[0] => ({
    state,
    round: 1,
    approvedAt: AT,
    readAt: null,
    retryForbidden: false,
    history: [],
    ...over,
  });
  const wasDraft = { history: [step(null, 'draft')] };
  const resolved = (to: State): { history: Transition[] } => ({
    history: [step('sending', 'uncertain'), step('uncertain', to)],
  });

  it.each<[Action, string, Parameters<typeof isInEffect>[0], boolean]>([
    ['approve', 'a draft', of('draft', { ...wasDraft, approvedAt: null }), false],
    ['approve', 'an approved draft', of('approved', wasDraft), true],
    ['approve', 'a draft that was approved and sent', of('sent', wasDraft), true],
    ['approve', 'a draft that was approved and cancelled', of('cancelled', wasDraft), false],
    ['approve', 'what never was a draft', of('sent', { history: [step(null, 'approved')] }), false],
    ['reject', 'a rejected one', of('rejected'), true],
    ['reject', 'a cancelled one', of('cancelled'), false],
    ['cancel', 'a cancelled one', of('cancelled'), true],
    ['cancel', 'a failed one', of('failed'), false],
    ['cancel', 'a failed one that is not retried', of('failed', { retryForbidden: true }), true],
    ['cancel', 'a rejected one', of('rejected'), false],
    ['retry', 'a failed one', of('failed', { round: 2 }), false],
    ['retry', 'one that was retried and waits', of('approved', { round: 2 }), true],
    ['retry', 'one that was retried and is being sent', of('sending', { round: 2 }), true],
    ['retry', 'one in its first round', of('approved'), false],
    ['read', 'a read one', of('sent', { readAt: AT }), true],
    ['read', 'an unread one', of('sent'), false],
  ])('%s of %s', (action, _, notification, inEffect) => {
    expect(isInEffect(notification, action)).toBe(inEffect);
  });

  it.each<['sent' | 'failed' | 'retry', string, Parameters<typeof isInEffect>[0], boolean]>([
    ['sent', 'one that never was uncertain', of('sent'), false],
    ['sent', 'one that was resolved so', of('sent', resolved('sent')), true],
    ['failed', 'one that was resolved otherwise', of('sent', resolved('sent')), false],
    ['failed', 'one that was resolved so', of('failed', resolved('failed')), true],
    ['retry', 'one that was resolved so', of('approved', resolved('approved')), true],
    ['retry', 'one that is uncertain once more', of('uncertain', resolved('approved')), false],
  ])('resolve as %s of %s', (outcome, _, notification, inEffect) => {
    expect(isInEffect(notification, 'resolve', outcome)).toBe(inEffect);
  });
});
