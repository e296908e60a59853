import { beforeEach, describe, expect, it } from '@jest/globals';
import { STATES, type State } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { atOnce, RELAY_GRACE_MS } from '#domain/change';
import { Conflict, InsufficientScope, InvalidTransition, NotFound, ValidationFailed } from '#domain/errors';
import type { Delivery, Notification } from '#domain/notification';
import { type Action, allowedActions } from '#domain/states';
import { ActionsHouse, deliveryOf } from '#testing/actions-house';
import { callerOf } from '#testing/callers';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const MINUTE = new Date('2026-11-21T08:00:00.000Z');
const CALLER = callerOf();

let h = new ActionsHouse(NOW);
beforeEach(() => {
  h = new ActionsHouse(NOW);
});

const ACTS: Readonly<Record<Action, (id: string, caller?: Caller) => Promise<Notification>>> = {
  approve: (id, caller = CALLER) => h.actions.approve(caller, id, { note: 'fine' }),
  reject: (id, caller = CALLER) => h.actions.reject(caller, id, { reason: 'wrong dose' }),
  cancel: (id, caller = CALLER) => h.actions.cancel(caller, id, {}),
  retry: (id, caller = CALLER) => h.actions.retry(caller, id, { note: null }),
  resolve: (id, caller = CALLER) => h.actions.resolve(caller, id, { outcome: 'sent', note: 'seen' }),
  read: (id, caller = CALLER) => h.actions.read(caller, id, {}),
};
const NAMES = Object.keys(ACTS) as Action[];
const LEADS_TO: Readonly<Record<Action, State>> = {
  approve: 'approved',
  reject: 'rejected',
  cancel: 'cancelled',
  retry: 'approved',
  resolve: 'sent',
  read: 'sent',
};

describe('each action in each state', () => {
  const inState = (state: State): Notification =>
    state === 'draft'
      ? h.addDraft()
      : h.add({ state, failedAt: NOW, lastError: { code: 'x', class: 'provider', message: 'x', at: NOW } });

  it.each(STATES.flatMap((state) => NAMES.map((action) => [action, state] as const)))(
    '%s while %s',
    async (action, state) => {
      const before = inState(state);
      const allowed = allowedActions(before, 6);
      const inEffect = (action === 'reject' && state === 'rejected') || (action === 'cancel' && state === 'cancelled');
      if (allowed.includes(action)) {
        const after = await ACTS[action](before.id);
        expect(after).toMatchObject({
          state: action === 'cancel' && state === 'failed' ? 'failed' : LEADS_TO[action],
          version: 2,
        });
        expect(h.announcer.announcements).toHaveLength(1);
        expect(h.announcer.announcements[0]?.notification).toBe(after);
        expect(h.announcer.announcements[0]?.status).not.toBeNull();
        expect(h.store.outboxOf(before.id)).toMatchObject({
          status: true,
          at: new Date(NOW.getTime() + RELAY_GRACE_MS),
        });
        return;
      }
      if (inEffect) expect(await ACTS[action](before.id)).toBe(before);
      else {
        const error: unknown = await ACTS[action](before.id).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(InvalidTransition);
        expect(error).toMatchObject({ state, allowed });
      }
      expect(h.announcer.announcements).toEqual([]);
      expect(h.store.get(before.id)).toBe(before);
    },
  );

  it.each(NAMES)('%s of what does not exist, or is in a service of others', async (action) => {
    const other = h.add({ serviceName: 'wellness' });
    await expect(ACTS[action]('f'.repeat(24))).rejects.toBeInstanceOf(NotFound);
    await expect(ACTS[action](other.id)).rejects.toBeInstanceOf(NotFound);
  });

  it.each<[Action, () => Notification]>([
    ['approve', () => h.addDraft()],
    ['reject', () => h.addDraft()],
    ['cancel', () => h.add({ state: 'approved' })],
    ['cancel', () => h.add({ state: 'failed' })],
    ['retry', () => h.add({ state: 'failed' })],
    ['resolve', () => h.add({ state: 'uncertain' })],
    ['read', () => h.add({ state: 'sent' })],
  ])('%s repeated answers the same and changes nothing', async (action, make) => {
    const { id } = make();
    const first = await ACTS[action](id);
    expect(await ACTS[action](id)).toBe(first);
    expect(h.announcer.announcements).toHaveLength(1);
  });
});

describe('races', () => {
  it.each(NAMES)('%s that lost once decides again on fresh data', async (action) => {
    const states: Record<Action, State> = {
      approve: 'draft',
      reject: 'draft',
      cancel: 'approved',
      retry: 'failed',
      resolve: 'uncertain',
      read: 'sent',
    };
    const { id } = states[action] === 'draft' ? h.addDraft() : h.add({ state: states[action] });
    h.lose(1);
    expect(await ACTS[action](id)).toMatchObject({ version: 3 });
  });

  it('refuses when the winner made it impossible', async () => {
    const { id } = h.addDraft();
    h.lose(1, () => ({ state: 'cancelled' }));
    await expect(ACTS.approve(id)).rejects.toMatchObject({ state: 'cancelled', allowed: [] });
  });

  it('answers what the winner did when that is the same', async () => {
    const { id } = h.add({ state: 'approved' });
    h.lose(1, () => ({ state: 'cancelled' }));
    expect(await ACTS.cancel(id)).toMatchObject({ state: 'cancelled', version: 2 });
    expect(h.announcer.announcements).toEqual([]);
  });

  it('gives up when it loses each time, and gives back its places', async () => {
    h.placesNeeded = () => [{ key: 'k', at: MINUTE, max: 9, mode: 'fail' }];
    const { id } = h.addDraft();
    h.lose(100);
    await expect(ACTS.approve(id)).rejects.toBeInstanceOf(Conflict);
    expect(h.limits.count('k', MINUTE)).toBe(0);
  });

  it('gives back its places when the store fails', async () => {
    h.placesNeeded = () => [{ key: 'k', at: MINUTE, max: 9, mode: 'fail' }];
    const { id } = h.addDraft();
    h.store.beforeChange = () => {
      throw new Error('the store is down');
    };
    await expect(ACTS.approve(id)).rejects.toThrow('the store is down');
    expect(h.limits.count('k', MINUTE)).toBe(0);
  });
});

describe('reject and cancel', () => {
  it('reject keeps the reason', async () => {
    const after = await ACTS.reject(h.addDraft().id);
    expect(after).toMatchObject({ state: 'rejected', waiting: null });
    expect(after.history.at(-1)?.reason).toBe('wrong dose');
  });

  it('cancel leaves nothing due and nothing open', async () => {
    const { id } = h.add({ deliveries: [deliveryOf(1, 'sent'), deliveryOf(2, 'open')] });
    const after = await ACTS.cancel(id);
    expect(after).toMatchObject({ nextAttemptAt: null, waiting: null });
    expect(after.deliveries.map(({ status }) => status)).toEqual(['sent', 'failed']);
    expect(h.announcer.announcements[0]?.wake).toBe('none');
  });

  it('cancel of what another client sent needs to manage', async () => {
    const sender = callerOf({ owner: 'other', scopes: new Set(['notifications:send']) });
    const { id } = h.add({});
    await expect(ACTS.cancel(id, sender)).rejects.toBeInstanceOf(InsufficientScope);
    expect(await ACTS.cancel(id, { ...sender, owner: 'billing', actor: 'key:rotated' })).toMatchObject({
      state: 'cancelled',
    });
    const manager = callerOf({ owner: 'other', scopes: new Set(['notifications:manage']) });
    expect(await ACTS.cancel(h.add({}).id, manager)).toMatchObject({ state: 'cancelled' });
  });

  it('cancel of a failed one forbids its retry and closes its dead letter', async () => {
    const { id, serviceName } = h.add({ state: 'failed', failedAt: NOW });
    await h.deadLetters.record({
      id: 'd-1',
      notificationId: id,
      round: 1,
      serviceName,
      tenantId: null,
      channel: 'email',
      class: 'provider',
      status: 'waiting',
      code: 'x',
      reason: 'x',
      queue: null,
      retryAt: NOW,
      createdAt: NOW,
      updatedAt: NOW,
      errors: [],
      message: null,
    });
    expect(await ACTS.cancel(id)).toMatchObject({ state: 'failed', retryForbidden: true });
    expect(h.deadLetters.documents.get('d-1')).toMatchObject({ status: 'resolved', retryAt: null });
    expect(h.announcer.announcements[0]).toMatchObject({ deadLetter: true, status: { previous: 'failed' } });
  });
});

describe('retry', () => {
  it('begins a new round of what failed', async () => {
    const { id } = h.add({
      state: 'failed',
      round: 2,
      attempt: 4,
      failedAt: NOW,
      deliveries: [deliveryOf(1, 'failed')],
    });
    const after = await ACTS.retry(id);
    expect(after).toMatchObject({ round: 3, attempt: 0, failedAt: null, nextAttemptAt: atOnce(NOW) });
    expect(after.deliveries[0]?.status).toBe('open');
    expect(h.announcer.announcements[0]).toMatchObject({ wake: 'now', status: { previous: 'failed' } });
  });

  it('stands even when the dead letter cannot be closed', async () => {
    h.deadLetters.down = true;
    expect(await ACTS.retry(h.add({ state: 'failed' }).id)).toMatchObject({ state: 'approved' });
  });

  it('is refused when no round is left, or it has expired', async () => {
    await expect(ACTS.retry(h.add({ state: 'failed', round: 6 }).id)).rejects.toMatchObject({
      state: 'failed',
      allowed: ['cancel'],
      message: 'it has been retried as often as it may be',
    });
    await expect(ACTS.retry(h.add({ state: 'failed', expiresAt: NOW }).id)).rejects.toMatchObject({
      allowed: ['cancel'],
    });
  });
});

describe('resolve', () => {
  const uncertain = (over: Partial<Notification> = {}): Notification =>
    h.add({
      state: 'uncertain',
      attempt: 1,
      claims: 1,
      nextAttemptAt: null,
      deliveries: [deliveryOf(1, 'uncertain'), deliveryOf(2, 'failed')],
      ...over,
    });

  it.each<['sent' | 'failed' | 'retry', State, Delivery['status'], string]>([
    ['sent', 'sent', 'sent', 'none'],
    ['failed', 'failed', 'failed', 'none'],
    ['retry', 'approved', 'open', 'now'],
  ])('as %s', async (outcome, state, status, wake) => {
    const after = await h.actions.resolve(CALLER, uncertain().id, { outcome });
    expect(after).toMatchObject({ state, waiting: null });
    expect(after.deliveries.map((one) => one.status)).toEqual([status, 'failed']);
    expect(h.announcer.announcements[0]).toMatchObject({ wake, status: { previous: 'pending' }, deadLetter: false });
  });

  it('keeps the time of the first success, or takes the present one', async () => {
    expect((await ACTS.resolve(uncertain().id)).sentAt).toBe(NOW);
    expect((await ACTS.resolve(uncertain({ sentAt: MINUTE }).id)).sentAt).toBe(MINUTE);
  });

  it('as failed is not retried by itself', async () => {
    const after = await h.actions.resolve(CALLER, uncertain().id, { outcome: 'failed' });
    expect(after).toMatchObject({ failedAt: NOW, retryForbidden: true });
  });

  it('cannot retry what has expired', async () => {
    const { id } = uncertain({ expiresAt: NOW });
    await expect(h.actions.resolve(CALLER, id, { outcome: 'retry' })).rejects.toBeInstanceOf(ValidationFailed);
  });
});

describe('read', () => {
  it('marks when it was read, once', async () => {
    const { id } = h.add({ state: 'sent' });
    expect(await ACTS.read(id)).toMatchObject({ state: 'sent', readAt: NOW, version: 2 });
    expect(h.announcer.announcements[0]).toMatchObject({ status: { previous: 'sent' } });
  });

  it('marks the inbox, of what stands there, and again when it is repeated', async () => {
    const { id } = h.add({ state: 'sent', channel: 'in-app' });
    await ACTS.read(h.add({ state: 'sent', channel: 'push' }).id);
    expect(h.readInInbox).toEqual([]);
    await ACTS.read(id);
    await ACTS.read(id);
    expect(h.readInInbox).toEqual([
      ['diabetes', id],
      ['diabetes', id],
    ]);
  });
});
