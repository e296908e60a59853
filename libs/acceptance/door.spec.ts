import { describe, expect, it } from '@jest/globals';
import { CreateNotification, type CreateNotificationInput } from '#contracts/http/notification';
import type { Caller } from '#domain/caller';
import { type DomainError, ValidationFailed } from '#domain/errors';
import {
  MemoryAcceptStore,
  MemoryRecipientLookup,
  MemoryTemplates,
  MemoryUserLimits,
  RecordingAnnouncer,
} from '#testing/memory-acceptance';
import { MemoryChannelLimits } from '#testing/memory-limits';
import type { Accepted } from './candidate.js';
import { Door } from './door.js';
import { minuteOf } from './limits.js';
import { recipientKey } from './ports.js';

const NOW = new Date('2026-11-21T08:00:10.000Z');
const CALLER: Caller = {
  actor: 'key:1',
  owner: 'billing',
  scopes: new Set(['notifications:send']),
  services: new Set(['diabetes']),
};

const house = (settings: Partial<ConstructorParameters<typeof Door>[0]['settings']> = {}) => {
  const store = new MemoryAcceptStore();
  const limits = new MemoryUserLimits();
  const channelLimits = new MemoryChannelLimits(NOW);
  const templates = new MemoryTemplates();
  const announcer = new RecordingAnnouncer();
  const recipients = new MemoryRecipientLookup([recipientKey('diabetes', 'email', 'p-1')]);
  let next = 0;
  const door = new Door({
    store,
    limits,
    channelLimits,
    recipients,
    templates,
    announcer,
    settings: { USER_LIMIT_PER_MINUTE: 2, USER_LIMITS: undefined, USER_LIMIT_EXEMPT_ALERTS: false, ...settings },
    countryOf: () => 'CI',
    newId: () => (next += 1).toString(16).padStart(24, '0'),
    now: () => NOW,
  });
  const send = (
    input: Partial<CreateNotificationInput>,
    { key = null, caller = CALLER }: { key?: string | null; caller?: Caller } = {},
  ): Promise<Accepted> => {
    const raw = { channel: 'email', to: 'ada@example.org', title: 'Hello', body: 'Good morning', ...input } as const;
    return door.accept(caller, {
      input: CreateNotification.parse(raw),
      raw,
      idempotencyKey: key,
      traceparent: null,
      defaultOnLimit: 'fail',
    });
  };
  return { store, templates, limits, channelLimits, recipients, announcer, door, send };
};

const failure = async (promise: Promise<unknown>): Promise<DomainError> => {
  try {
    await promise;
  } catch (error) {
    return error as DomainError;
  }
  throw new Error('it was accepted');
};

describe('Door', () => {
  it('writes what arrives together in one write, and announces each', async () => {
    const { store, announcer, send } = house();
    await Promise.all(['p-1', 'p-2', 'p-3'].map((userId) => send({ userId })));
    expect(store.writes).toBe(1);
    expect(store.documents.size).toBe(3);
    expect(announcer.announcements.map(({ wake, status }) => ({ wake, status }))).toEqual(
      Array.from({ length: 3 }, () => ({ wake: 'now', status: { previous: null } })),
    );
  });

  it("reads phone numbers as the service's country writes them, and counts what a text takes", async () => {
    const { send } = house();
    const to = ['07 07 12 34 56', '+225 0707123456', '+33612345678'];
    const { notification } = await send({ channel: 'sms', to, body: 'é'.repeat(161) });
    expect(notification).toMatchObject({
      to: ['+2250707123456', '+33612345678'],
      sms: { encoding: 'gsm-7', segments: 2 },
    });
    expect((await send({})).notification.sms).toBeNull();
    expect(await failure(send({ channel: 'sms', to: '06 12 34 56 78', body: 'x'.repeat(1_531) }))).toMatchObject({
      errors: [
        { field: '/to', code: 'invalid_phone_number' },
        { field: '/body', code: 'too_many_segments' },
      ],
    });
  });

  it('may be claimed at once even by a clock that is behind, and owes its wake-up until the broker has it', async () => {
    const { store, send } = house();
    const { notification } = await send({ userId: 'p-1' });
    expect(notification.nextAttemptAt?.getTime()).toBeLessThan(NOW.getTime());
    expect(store.documents.get(notification.id)?.outbox).toMatchObject({ wake: true, status: true });
  });

  it.each([
    ['alert', undefined, 'high', 'urgent'],
    ['info', undefined, 'normal', 'normal'],
    ['alert', 'low', 'low', 'bulk'],
    ['reminder', 'high', 'high', 'urgent'],
  ] as const)('gives a %s with priority %s the priority %s and the lane %s', async (type, priority, expected, lane) => {
    const { send } = house();
    const { notification } = await send({ userId: 'p-1', type, ...(priority === undefined ? {} : { priority }) });
    expect(notification).toMatchObject({ priority: expected, lane });
  });

  it('answers a repeated key with what it made, and counts nothing for it', async () => {
    const { store, limits, send } = house();
    const first = await send({ userId: 'p-1' }, { key: 'k' });
    const second = await send({ userId: 'p-1' }, { key: 'k' });
    expect(second).toEqual({ notification: first.notification, replayed: true });
    expect(store.documents.size).toBe(1);
    expect(limits.count('diabetes::u:p-1', minuteOf(NOW))).toBe(1);
  });

  it('makes one of two requests in flight with the same key', async () => {
    const { store, limits, send } = house();
    const results = await Promise.all([send({ userId: 'p-1' }, { key: 'k' }), send({ userId: 'p-1' }, { key: 'k' })]);
    expect(store.documents.size).toBe(1);
    expect(results.map(({ replayed }) => replayed)).toEqual([false, true]);
    expect(limits.count('diabetes::u:p-1', minuteOf(NOW))).toBe(1);
  });

  it('answers a repeated key also where the user has no place left, and where the recipient has no target any more', async () => {
    const { limits, recipients, send } = house({ USER_LIMIT_PER_MINUTE: 1 });
    const again = await Promise.all([send({ userId: 'p-1' }, { key: 'k' }), send({ userId: 'p-1' }, { key: 'k' })]);
    expect(again.map(({ replayed }) => replayed)).toEqual([false, true]);
    expect((await send({ userId: 'p-1' }, { key: 'k' })).replayed).toBe(true);
    expect(limits.count('diabetes::u:p-1', minuteOf(NOW))).toBe(1);
    expect((await failure(send({ userId: 'p-1' }, { key: 'l' }))).code).toBe('rate_limited');
    expect((await failure(send({ userId: 'p-1', body: 'Other' }, { key: 'k' }))).code).toBe('idempotency_key_reused');

    const untargeted = { userId: 'p-2', to: undefined };
    recipients.having.add(recipientKey('diabetes', 'email', 'p-2'));
    await send(untargeted, { key: 'm' });
    recipients.having.clear();
    expect((await send(untargeted, { key: 'm' })).replayed).toBe(true);
    expect((await failure(send(untargeted, { key: 'n' }))).code).toBe('no_target');
  });

  it('refuses a key used with other content, whatever the order of its members', async () => {
    const { send } = house();
    await send({ userId: 'p-1', data: { a: 1, b: 2 } }, { key: 'k' });
    await expect(send({ userId: 'p-1', data: { b: 2, a: 1 } }, { key: 'k' })).resolves.toMatchObject({
      replayed: true,
    });
    expect((await failure(send({ userId: 'p-1', body: 'Else' }, { key: 'k' }))).code).toBe('idempotency_key_reused');
  });

  it('keeps keys of different owners apart', async () => {
    const { store, send } = house();
    await send({ userId: 'p-1' }, { key: 'k' });
    await send({ userId: 'p-1' }, { key: 'k', caller: { ...CALLER, owner: 'desk' } });
    expect(store.documents.size).toBe(2);
  });

  it('refuses a user over the limit, and only that one', async () => {
    const { store, send } = house();
    const results = await Promise.allSettled(['p-1', 'p-1', 'p-1', 'p-2'].map((userId) => send({ userId })));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(store.documents.size).toBe(3);
    expect(await failure(send({ userId: 'p-1' }))).toMatchObject({
      code: 'rate_limited',
      scope: 'user',
      retryAfterSeconds: 30,
    });
  });

  it('parks until the next free minute where the caller would rather wait', async () => {
    const { announcer, send } = house({ USER_LIMIT_PER_MINUTE: 1 });
    await send({ userId: 'p-1' });
    const { notification } = await send({ userId: 'p-1', onLimit: 'wait' });
    const until = new Date('2026-11-21T08:01:00.000Z');
    expect(notification).toMatchObject({
      waiting: { reason: 'rate_limit', until },
      nextAttemptAt: until,
      dueAt: until,
    });
    expect(announcer.announcements[1]?.wake).toBe('later');
  });

  it('moves a scheduled one to the next free minute, and never refuses it', async () => {
    const { send } = house({ USER_LIMIT_PER_MINUTE: 1 });
    const sendAt = '2026-11-21T10:00:30.000Z';
    const first = await send({ userId: 'p-1', sendAt });
    const second = await send({ userId: 'p-1', sendAt });
    expect(first.notification.waiting).toEqual({ reason: 'scheduled', until: new Date(sendAt) });
    expect(second.notification.nextAttemptAt).toEqual(new Date('2026-11-21T10:01:00.000Z'));
  });

  it('counts by address where there is no user, and gives back what it could not use', async () => {
    const { limits, send } = house({ USER_LIMIT_PER_MINUTE: 1 });
    await send({ to: ['ada@example.org'] });
    expect((await failure(send({ to: ['bob@example.org', 'ada@example.org'] }))).code).toBe('rate_limited');
    expect([...limits.taken.values()].reduce((sum, count) => sum + count, 0)).toBe(1);
  });

  it('counts no draft, and no alert where alerts are exempt', async () => {
    const { limits, send } = house({ USER_LIMIT_EXEMPT_ALERTS: true });
    await send({ userId: 'p-1', draft: true });
    await send({ userId: 'p-1', type: 'alert' });
    expect(limits.taken.size).toBe(0);
  });

  it('a limit of a service wins over the general one', async () => {
    const { send } = house({ USER_LIMITS: new Map([['diabetes', 1]]) });
    await send({ userId: 'p-1' });
    expect((await failure(send({ userId: 'p-1' }))).code).toBe('rate_limited');
  });

  it('needs a target of the recipient where none is named', async () => {
    const { send } = house();
    const raw = { channel: 'email', title: 'Hello', body: 'Good morning' } as const;
    await expect(send({ ...raw, to: undefined, userId: 'p-1' })).resolves.toMatchObject({ replayed: false });
    expect((await failure(send({ ...raw, to: undefined, userId: 'p-9' }))).code).toBe('no_target');
  });

  it.each([
    [{ to: ['not an address'] }, '/to/0', 'invalid_email'],
    [{ to: 'not an address' }, '/to', 'invalid_email'],
    [{ sendAt: '2026-11-21T07:50:00.000Z' }, '/sendAt', 'in_the_past'],
    [{ sendAt: '2027-11-21T07:50:00.000Z' }, '/sendAt', 'too_far_ahead'],
    [{ expiresAt: '2026-11-21T08:00:00.000Z' }, '/expiresAt', 'in_the_past'],
    [{ title: null }, '/title', 'title_required'],
  ])('refuses %j at %s with %s', async (input, field, code) => {
    const { store, send } = house();
    const error = (await failure(send({ userId: 'p-1', ...input }))) as ValidationFailed;
    expect(error.errors.map((one) => [one.field, one.code])).toContainEqual([field, code]);
    expect(store.documents.size).toBe(0);
  });

  it('asks for the service where a key has several, and refuses one that it does not have', async () => {
    const { send } = house();
    const two: Caller = { ...CALLER, services: new Set(['diabetes', 'wellness']) };
    expect((await failure(send({ userId: 'p-1' }, { caller: two }))).code).toBe('validation_failed');
    expect((await failure(send({ userId: 'p-1', serviceName: 'maternity' }))).code).toBe('service_not_allowed');
    expect((await failure(send({}, { caller: { ...CALLER, scopes: new Set() } }))).code).toBe('insufficient_scope');
  });

  it('says so when the database does not answer, and wastes no place', async () => {
    const { store, limits, announcer, send } = house();
    store.down = true;
    expect((await failure(send({ userId: 'p-1' }))).code).toBe('unavailable');
    expect(limits.count('diabetes::u:p-1', minuteOf(NOW))).toBe(0);
    expect(announcer.announcements).toEqual([]);
  });
});

describe('a template at the door', () => {
  const asked = { title: undefined, body: undefined, template: { name: 'dose' }, variables: { dose: '8 units' } };

  it('becomes the texts that are sent, under the data of the request', async () => {
    const { send, store } = house();
    const { notification } = await send({ ...asked, data: { by: 'caller' } });
    expect(notification).toMatchObject({ title: 'Dose', body: 'Take 8 units', data: { rx: '1', by: 'caller' } });
    expect(store.documents.get(notification.id)?.notification.body).toBe('Take 8 units');
  });

  it('repeats what it made, whatever became of the template', async () => {
    const { send, templates } = house();
    const first = await send(asked, { key: 'k-1' });
    templates.prefix = 'Swallow';
    expect(await send(asked, { key: 'k-1' })).toEqual({ notification: first.notification, replayed: true });
    templates.render = () => Promise.reject(new ValidationFailed([]));
    expect(await send(asked, { key: 'k-1' })).toEqual({ notification: first.notification, replayed: true });
    expect((await failure(send({ ...asked, variables: {} }, { key: 'k-1' }))).code).toBe('idempotency_key_reused');
    expect((await failure(send(asked, { key: 'k-2' }))).code).toBe('validation_failed');
  });

  it.each([
    [{ ...asked, variables: {} }, '/variables/dose'],
    [{ ...asked, template: { name: 'other' } }, '/template'],
    [{ ...asked, title: 'Mine' }, '/title'],
    [{ ...asked, body: 'Mine' }, '/body'],
    [{ body: 'Mine', variables: {} }, '/variables'],
    [{ ...asked, channel: 'slack', to: 'C024BE91L', variables: { dose: 'x'.repeat(3_000) } } as const, '/template'],
  ])('names what is wrong: %#', async (input, field) => {
    const { send } = house();
    const { errors } = (await failure(send(input))) as ValidationFailed;
    expect(errors.map((error) => error.field)).toEqual([field]);
  });

  it('needs the scope before it looks at templates', async () => {
    const { send } = house();
    const caller = { ...CALLER, scopes: new Set<never>() };
    expect((await failure(send({ ...asked, variables: {} }, { caller }))).code).toBe('insufficient_scope');
  });
});

describe('limits of services and channels', () => {
  it('cost nothing where there are none', async () => {
    const { send, channelLimits } = house();
    await send({});
    expect(channelLimits.batches).toEqual([]);
  });

  it('give a place at once, or later and say when, all of a batch together', async () => {
    const { send, channelLimits, announcer } = house({ USER_LIMIT_PER_MINUTE: 100 });
    channelLimits.left.set('diabetes/email', 1);
    const [first, second, scheduled] = await Promise.all([
      send({ onLimit: 'wait' }),
      send({ onLimit: 'wait' }),
      send({ sendAt: new Date(NOW.getTime() + 60_000).toISOString() }),
    ]);
    const until = new Date(NOW.getTime() + 1_000);
    expect(channelLimits.batches).toEqual([2]);
    expect(first.notification).toMatchObject({ place: NOW, dueAt: null, waiting: null });
    expect(second.notification).toMatchObject({
      place: until,
      dueAt: until,
      nextAttemptAt: until,
      waiting: { reason: 'rate_limit', until },
    });
    // Its place is reserved when its time has come.
    expect(scheduled.notification).toMatchObject({ place: null, waiting: { reason: 'scheduled' } });
    expect(announcer.announcements.map(({ wake }) => wake)).toEqual(['now', 'later', 'later']);
  });

  it('refuse who does not wait, and give back the place of its user', async () => {
    const { send, channelLimits, limits } = house();
    channelLimits.left.set('diabetes/email', 0);
    const error = await failure(send({ userId: 'p-1' }));
    expect(error).toMatchObject({ code: 'rate_limited', scope: 'channel', retryAfterSeconds: 2 });
    expect([...limits.taken.values()]).toEqual([0]);
  });

  it('leave drafts alone', async () => {
    const { send, channelLimits } = house();
    channelLimits.left.set('diabetes/email', 0);
    expect((await send({ draft: true })).notification).toMatchObject({ state: 'draft', place: null });
  });
});
