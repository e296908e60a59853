import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RefusedMessage } from '#contracts/messages';
import type { DeadLetterStatus, ErrorClass } from '#contracts/vocabulary';
import type { DeadLetter } from '#domain/dead-letter';
import type { Notification } from '#domain/notification';
import { SCHEDULER } from '#domain/round';
import { MemoryDeadLetters, RecordingAlerts } from '#testing/memory-dead-letters';
import { notificationOf } from '#testing/memory-delivery';
import { MemoryNotifications } from '#testing/memory-notifications';
import { DeadLetterKeeper } from './dead-letter-keeper.js';

const FAILED_AT = new Date('2026-11-21T08:00:00.000Z');
const NOW = new Date('2026-11-21T08:00:30.000Z');
const HOUR_MS = 3_600_000;
const RETRY_AT = new Date(FAILED_AT.getTime() + HOUR_MS);

let store = new MemoryNotifications(NOW);
let deadLetters = new MemoryDeadLetters(NOW);
let alerts = new RecordingAlerts();
let keeper: DeadLetterKeeper;
beforeEach(() => {
  store = new MemoryNotifications(NOW);
  deadLetters = new MemoryDeadLetters(NOW);
  alerts = new RecordingAlerts();
  let next = 0;
  keeper = new DeadLetterKeeper({
    store,
    deadLetters,
    alerts,
    now: () => NOW,
    newId: () => `d-${(next += 1)}`,
    retryAfterMs: HOUR_MS,
  });
});

const failed = (errorClass: ErrorClass, over: Partial<Notification> = {}): Notification =>
  store.add(
    notificationOf({
      state: 'failed',
      failedAt: FAILED_AT,
      lastError: { code: `code_${errorClass}`, class: errorClass, message: 'it did not work', at: FAILED_AT },
      ...over,
    }),
  );
const keep = async ({ id }: Notification, round = 1): Promise<DeadLetter | undefined> => {
  await keeper.keepFailed({ schemaVersion: 1, notificationId: id, serviceName: 'diabetes', round });
  return [...deadLetters.documents.values()].find((one) => one.notificationId === id && one.round === round);
};
const roundBegunBy = (actor: string): Partial<Notification> => ({
  round: 2,
  history: [{ from: 'failed', to: 'approved', at: NOW, actor, reason: null }],
});

describe('a failed notification', () => {
  it.each<[ErrorClass, Date | null]>([
    ['provider', RETRY_AT],
    ['credentials', RETRY_AT],
    ['recipient', null],
    ['content', null],
    ['schema', null],
    ['expired', null],
    ['poison', null],
  ])('of class %s waits, to be tried once more at %s', async (errorClass, retryAt) => {
    const one = failed(errorClass);
    expect(await keep(one)).toEqual({
      id: 'd-1',
      notificationId: one.id,
      round: 1,
      serviceName: 'diabetes',
      tenantId: null,
      channel: 'email',
      class: errorClass,
      status: 'waiting',
      code: `code_${errorClass}`,
      reason: 'it did not work',
      queue: null,
      retryAt,
      createdAt: NOW,
      updatedAt: NOW,
      errors: [],
      message: null,
    });
    expect(alerts.raised).toEqual([
      {
        group: `${errorClass}:diabetes:email`,
        class: errorClass,
        serviceName: 'diabetes',
        channel: 'email',
        code: `code_${errorClass}`,
        reason: 'it did not work',
      },
    ]);
  });

  it('whose notice comes twice is kept, and alerted, once', async () => {
    const one = failed('provider');
    await keep(one);
    await keep(one);
    expect(deadLetters.documents.size).toBe(1);
    expect(alerts.raised).toHaveLength(1);
  });

  it.each<[string, Partial<Notification>, number, DeadLetterStatus, number]>([
    ['failed again after its automatic retry', roundBegunBy(SCHEDULER), 2, 'archived', 1],
    ['failed again after a replay by a person', roundBegunBy('key:1'), 2, 'waiting', 1],
    ['was forbidden to be retried meanwhile', { retryForbidden: true }, 1, 'resolved', 0],
    ['was taken up again meanwhile', { state: 'approved', round: 2 }, 1, 'retried', 0],
    ['is no longer failed', { state: 'sent' }, 1, 'resolved', 0],
  ])('that %s', async (_, over, round, status, alertCount) => {
    expect(await keep(failed('provider', over), round)).toMatchObject({ status, retryAt: null });
    expect(alerts.raised).toHaveLength(alertCount);
  });

  it('that was cancelled after it was kept is closed by the notice that follows', async () => {
    const one = failed('provider');
    await keep(one);
    store.add({ ...one, retryForbidden: true, version: 2 });
    expect(await keep(one)).toMatchObject({ status: 'resolved', retryAt: null });
  });

  it('closes what its round before may have left open', async () => {
    const one = failed('provider');
    await keep(one);
    store.add({ ...one, ...roundBegunBy(SCHEDULER) });
    await keep(one, 2);
    expect([...deadLetters.documents.values()].map(({ round, status }) => [round, status])).toEqual([
      [1, 'retried'],
      [2, 'archived'],
    ]);
  });

  it('that was deleted leaves nothing', async () => {
    expect(await keep(notificationOf({}))).toBeUndefined();
    expect(alerts.raised).toEqual([]);
  });

  it('without an error is kept all the same', async () => {
    expect(await keep(failed('provider', { lastError: null, failedAt: null }))).toMatchObject({
      code: 'unknown',
      retryAt: null,
    });
  });
});

describe('a refused message', () => {
  const encode = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
  const refused = (over: Partial<RefusedMessage> = {}): RefusedMessage => ({
    schemaVersion: 1,
    queue: 'notifications.intake.send',
    type: 'notification.send',
    messageId: 'm-1',
    correlationId: null,
    userId: 'clinic',
    code: 'validation_failed',
    errors: [{ in: 'body', field: '/to/0', code: 'invalid_email', message: 'must be an e-mail address' }],
    payload: encode({ serviceName: 'wellness' }),
    ...over,
  });

  it('is kept whole, with its reasons', async () => {
    await keeper.keepRefused(refused());
    await keeper.keepRefused(refused());
    expect([...deadLetters.documents.values()]).toEqual([
      expect.objectContaining({
        notificationId: null,
        round: null,
        serviceName: 'wellness',
        class: 'schema',
        status: 'waiting',
        code: 'validation_failed',
        reason: '/to/0 must be an e-mail address',
        queue: 'notifications.intake.send',
        retryAt: null,
        message: expect.objectContaining({ type: 'notification.send', messageId: 'm-1', userId: 'clinic' }) as unknown,
      }),
    ]);
    expect(alerts.raised).toMatchObject([{ group: 'schema:wellness:-' }]);
  });

  it.each([
    ['delivery_limit', 'poison'],
    ['no_target', 'recipient'],
    ['unauthorized', 'schema'],
  ])('for %s is of class %s', async (code, errorClass) => {
    await keeper.keepRefused(refused({ code, errors: [] }));
    expect(deadLetters.documents.get('d-1')).toMatchObject({ class: errorClass, reason: code });
  });

  it.each([
    ['no JSON', encode('{')],
    ['no object', encode('null')],
    ['no service', encode({})],
    ['a service of another type', encode({ serviceName: 7 })],
    ['what can be no service', encode({ serviceName: '../x' })],
  ])('with %s is of no service', async (_, payload) => {
    await keeper.keepRefused(refused({ payload }));
    expect(deadLetters.documents.get('d-1')?.serviceName).toBeNull();
  });

  it('reads places that a later version may name', async () => {
    await keeper.keepRefused(refused({ errors: [{ in: 'trailer', field: 'x', code: 'x', message: 'is odd' }] }));
    expect(deadLetters.documents.get('d-1')?.errors[0]?.in).toBe('body');
  });
});
