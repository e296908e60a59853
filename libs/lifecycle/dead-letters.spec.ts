import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetter, RefusedMessageRecord } from '#domain/dead-letter';
import { InvalidTransition, NotFound, ServiceNotAllowed, Unavailable, ValidationFailed } from '#domain/errors';
import type { Notification } from '#domain/notification';
import { ActionsHouse } from '#testing/actions-house';
import { callerOf } from '#testing/callers';
import { notificationOf } from '#testing/memory-delivery';
import { DeadLetters } from './dead-letters.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const EARLIER = new Date('2026-11-21T07:00:00.000Z');
const CALLER = callerOf();
const MESSAGE: RefusedMessageRecord = {
  type: 'notification.send',
  messageId: 'm-1',
  correlationId: null,
  userId: 'clinic',
  payload: 'e30=',
};

let h = new ActionsHouse(NOW);
let replayed: RefusedMessageRecord[] = [];
let refuse: Error | null = null;
let deadLetters: DeadLetters;
let next = 0;
beforeEach(() => {
  h = new ActionsHouse(NOW);
  replayed = [];
  refuse = null;
  next = 0;
  deadLetters = new DeadLetters({
    deadLetters: h.deadLetters,
    store: h.store,
    announcer: h.announcer,
    retry: (caller, id, note) => h.actions.retry(caller, id, note),
    replayer: {
      replay: (message) => {
        if (refuse !== null) return Promise.reject(refuse);
        replayed.push(message);
        return Promise.resolve();
      },
    },
    now: () => NOW,
  });
});

const add = (over: Partial<DeadLetter> = {}): DeadLetter => {
  const id = (next += 1).toString(16).padStart(24, '0');
  const deadLetter: DeadLetter = {
    id,
    notificationId: null,
    round: null,
    serviceName: 'diabetes',
    tenantId: null,
    channel: 'email',
    class: 'provider',
    status: 'waiting',
    code: 'x',
    reason: 'x',
    queue: null,
    retryAt: null,
    createdAt: EARLIER,
    updatedAt: EARLIER,
    errors: [],
    message: MESSAGE,
    ...over,
  };
  h.deadLetters.documents.set(id, deadLetter);
  return deadLetter;
};
const addFailed = (
  over: Partial<Notification> = {},
  letter: Partial<DeadLetter> = {},
): { deadLetter: DeadLetter; notification: Notification } => {
  const notification = h.store.add(notificationOf({ state: 'failed', failedAt: EARLIER, ...over }));
  return { notification, deadLetter: add({ notificationId: notification.id, round: 1, message: null, ...letter }) };
};

describe('show and list', () => {
  it('shows the notification with it', async () => {
    const { deadLetter, notification } = addFailed();
    expect(await deadLetters.show(CALLER, deadLetter.id)).toEqual({ deadLetter, notification });
    const refused = add();
    expect(await deadLetters.show(CALLER, refused.id)).toEqual({ deadLetter: refused, notification: null });
  });

  it('hides what is of other services, and shows what is of none', async () => {
    await expect(deadLetters.show(CALLER, add({ serviceName: 'wellness' }).id)).rejects.toBeInstanceOf(NotFound);
    await expect(deadLetters.show(CALLER, 'f'.repeat(24))).rejects.toBeInstanceOf(NotFound);
    const { id } = add({ serviceName: null });
    expect((await deadLetters.show(CALLER, id)).deadLetter.id).toBe(id);
  });

  it('lists newest first, page by page, what the filter matches', async () => {
    const ids = [1, 2, 3].map((minutes) => add({ createdAt: new Date(EARLIER.getTime() + minutes * 60_000) }).id);
    add({ class: 'content' });
    add({ serviceName: 'wellness' });
    const first = await deadLetters.list(CALLER, { class: 'provider' }, { limit: 2, before: null });
    expect(first.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    const rest = await deadLetters.list(CALLER, { class: 'provider' }, { limit: 2, before: first.at(-1) ?? null });
    expect(rest.map(({ id }) => id)).toEqual([ids[0]]);
    await expect(
      deadLetters.list(CALLER, { serviceName: 'wellness' }, { limit: 2, before: null }),
    ).rejects.toBeInstanceOf(ServiceNotAllowed);
  });
});

describe('replay', () => {
  it('takes the notification up again', async () => {
    const { deadLetter } = addFailed();
    const shown = await deadLetters.replay(CALLER, deadLetter.id, { note: 'once more' });
    expect(shown).toMatchObject({ deadLetter: { status: 'retried' }, notification: { state: 'approved', round: 2 } });
    expect(shown.notification?.history.at(-1)?.reason).toBe('once more');
    expect(await deadLetters.replay(CALLER, deadLetter.id, {})).toEqual(shown);
    expect(h.announcer.announcements).toHaveLength(1);
  });

  it('works on what was archived', async () => {
    const { deadLetter } = addFailed({ round: 2 }, { round: 2, status: 'archived' });
    expect(await deadLetters.replay(CALLER, deadLetter.id, {})).toMatchObject({ notification: { round: 3 } });
  });

  it('puts a refused message through the door', async () => {
    const shown = await deadLetters.replay(CALLER, add().id, {});
    expect(shown).toMatchObject({ deadLetter: { status: 'retried' }, notification: null });
    expect(replayed).toEqual([MESSAGE]);
  });

  it('tells what the door says of it, and leaves it', async () => {
    refuse = new ValidationFailed([]);
    const { id } = add();
    await expect(deadLetters.replay(CALLER, id, {})).rejects.toBe(refuse);
    expect(h.deadLetters.documents.get(id)?.status).toBe('waiting');
  });

  it.each([
    ['resolved', () => add({ status: 'resolved' })],
    ['dropped', () => add({ status: 'dropped' })],
    ['taken up again', () => addFailed({ state: 'sent' }).deadLetter],
    ['failed in a later round', () => addFailed({ round: 2 }).deadLetter],
    ['without its notification', () => add({ notificationId: 'e'.repeat(24), round: 1 })],
  ])('is refused for one that is %s', async (_, make) => {
    await expect(deadLetters.replay(CALLER, make().id, {})).rejects.toBeInstanceOf(InvalidTransition);
  });
});

describe('replay by filter', () => {
  it('replays what matches and waits, and counts what could not be', async () => {
    addFailed();
    addFailed({ round: 6 }, { round: 6, status: 'archived' });
    add({ status: 'dropped' });
    add({ class: 'content' });
    add({ createdAt: NOW });
    expect(await deadLetters.replayMatching(CALLER, { class: 'provider' })).toEqual({ matched: 2, replayed: 1 });
  });

  it('goes through all pages', async () => {
    for (let n = 0; n < 450; n += 1) add();
    expect(await deadLetters.replayMatching(CALLER, {})).toEqual({ matched: 450, replayed: 450 });
    expect(new Set([...h.deadLetters.documents.values()].map(({ status }) => status))).toEqual(new Set(['retried']));
  });

  it('stops at 10,000', async () => {
    for (let n = 0; n < 10_001; n += 1) add();
    expect(await deadLetters.replayMatching(CALLER, {})).toEqual({ matched: 10_000, replayed: 10_000 });
  });

  it('does not take the silence of a store for a refusal', async () => {
    refuse = new Unavailable('the database');
    add();
    await expect(deadLetters.replayMatching(CALLER, {})).rejects.toBe(refuse);
  });
});

describe('drop', () => {
  it('forbids the automatic retry', async () => {
    const { deadLetter, notification } = addFailed();
    h.lose(1);
    await deadLetters.drop(CALLER, deadLetter.id);
    await deadLetters.drop(CALLER, deadLetter.id);
    expect(h.deadLetters.documents.get(deadLetter.id)?.status).toBe('dropped');
    expect(h.store.get(notification.id)).toMatchObject({ state: 'failed', retryForbidden: true, version: 3 });
  });

  it('leaves a notification alone that was taken up again, or was deleted', async () => {
    const { deadLetter, notification } = addFailed({ state: 'approved', round: 2 });
    await deadLetters.drop(CALLER, deadLetter.id);
    expect(h.store.get(notification.id)).toBe(notification);
    const gone = add({ notificationId: 'e'.repeat(24), round: 1 });
    await deadLetters.drop(CALLER, gone.id);
    expect(h.deadLetters.documents.get(gone.id)?.status).toBe('dropped');
  });

  it('is refused for one that is closed', async () => {
    await expect(deadLetters.drop(CALLER, add({ status: 'retried' }).id)).rejects.toBeInstanceOf(InvalidTransition);
  });
});
