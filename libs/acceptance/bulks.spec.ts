import { beforeEach, describe, expect, it } from '@jest/globals';
import { CreateBulk } from '#contracts/http/bulk';
import type { Caller } from '#domain/caller';
import { type DomainError, ValidationFailed } from '#domain/errors';
import { idsInTurn } from '#testing/builders';
import {
  MemoryAcceptStore,
  MemoryBulkStore,
  MemoryRecipientLookup,
  MemoryTemplates,
  MemoryUserLimits,
  RecordingAnnouncer,
} from '#testing/memory-acceptance';
import { MemoryChannelLimits } from '#testing/memory-limits';
import { type AcceptedBulk, Bulks } from './bulks.js';
import { Door } from './door.js';
import { Intake } from './intake.js';

const CALLER: Caller = {
  actor: 'key:1',
  owner: 'desk',
  scopes: new Set(['notifications:send']),
  services: new Set(['diabetes']),
};
const content = { channel: 'email', title: 'Clinic', body: 'Closed', data: { a: 1 } } as const;

describe('Bulks', () => {
  let recipients: MemoryRecipientLookup;
  let store: MemoryAcceptStore;
  let bulkStore: MemoryBulkStore;
  let bulks: Bulks;
  let door: Door;
  let announcer: RecordingAnnouncer;

  beforeEach(() => {
    recipients = new MemoryRecipientLookup();
    store = new MemoryAcceptStore();
    bulkStore = new MemoryBulkStore();
    announcer = new RecordingAnnouncer();
    const newId = idsInTurn();
    door = new Door({
      store,
      limits: new MemoryUserLimits(),
      channelLimits: new MemoryChannelLimits(),
      recipients,
      templates: new MemoryTemplates(),
      announcer,
      settings: { USER_LIMIT_PER_MINUTE: 1, USER_LIMITS: undefined, USER_LIMIT_EXEMPT_ALERTS: false },
      countryOf: () => 'CI',
      newId,
      now: () => new Date('2026-11-21T08:00:00Z'),
    });
    bulks = new Bulks({
      door,
      bulks: bulkStore,
      newId,
    });
  });

  const accept = (body: unknown, key: string | null = null): Promise<AcceptedBulk> =>
    bulks.accept(CALLER, { input: CreateBulk.parse(body), raw: body, idempotencyKey: key, traceparent: null });
  const people = (count: number): { userId: string; to: string }[] =>
    Array.from({ length: count }, (_, index) => ({ userId: `p-${index}`, to: `p-${index}@example.org` }));

  it('writes in chunks, in the bulk lane, with the recipient’s data over the content’s', async () => {
    const { bulkId } = await accept({ content, recipients: people(2_300).map((one) => ({ ...one, data: { b: 2 } })) });
    expect(store.writes).toBe(3);
    expect(bulkStore.records.get(bulkId)).toMatchObject({ accepted: 2_300, refusals: [], status: 'running' });
    const one = [...store.documents.values()][17]?.notification;
    expect(one).toMatchObject({ bulkId, bulkIndex: 17, lane: 'bulk', data: { a: 1, b: 2 }, onLimit: 'wait' });
  });

  describe('owes for its items', () => {
    const isTold = (bulkId: string): boolean | undefined => bulkStore.records.get(bulkId)?.isTold;
    const outboxes = (): unknown[] => [...store.documents.values()].map(({ outbox }) => outbox);

    it('until the broker has confirmed all chunks', async () => {
      announcer.confirms = null;
      const { bulkId } = await accept({ content, recipients: people(2_300) });
      expect(outboxes()).toEqual(Array(2_300).fill(null));
      expect(announcer.open).toHaveLength(3);
      for (const told of announcer.open.slice(0, 2)) await told(true);
      expect(isTold(bulkId)).toBe(false);
      await announcer.open[2]?.(true);
      expect(isTold(bulkId)).toBe(true);
    });

    it('for good where the broker does not', async () => {
      announcer.confirms = false;
      const { bulkId } = await accept({ content, recipients: people(3) });
      expect(isTold(bulkId)).toBe(false);
    });

    it('but for when to wake what is to be sent later, which each document remembers', async () => {
      const sendAt = '2026-11-21T09:00:00.000Z';
      const { bulkId } = await accept({ content: { ...content, sendAt }, recipients: people(1) });
      expect(outboxes()).toEqual([
        { at: new Date(sendAt), wake: true, status: false, previousStatus: null, deadLetter: false },
      ]);
      expect(announcer.announcements).toMatchObject([{ wake: 'later', status: { previous: null } }]);
      expect(isTold(bulkId)).toBe(true);
    });
  });

  it('refuses item by item, and says where', async () => {
    const { bulkId } = await accept({
      notifications: [
        { ...content, userId: 'p-1', to: 'p-1@example.org' },
        { ...content, userId: 'p-2', to: 'nobody', reference: 'r-2' },
        { ...content, userId: 'p-3', to: 'p-3@example.org', colour: 'red' },
        { ...content, userId: 'p-4' },
        { ...content, to: 'p-5@example.org', serviceName: 'wellness' },
        'not an object' as never,
      ].slice(0, 5),
    });
    const refusals = bulkStore.records.get(bulkId)?.refusals ?? [];
    expect(
      refusals.map(({ index, reference, errors }) => [index, reference, errors[0]?.field, errors[0]?.code]),
    ).toEqual([
      [1, 'r-2', '/notifications/1/to', 'invalid_email'],
      [2, null, '/notifications/2/colour', 'unknown_field'],
      [3, null, '/notifications/3', 'no_target'],
      [4, null, '/notifications/4/serviceName', 'not_of_bulk'],
    ]);
  });

  it('is nothing when nothing is acceptable, and leaves its key free', async () => {
    const body = { content, recipients: [{ to: 'nobody' }] };
    await expect(accept(body, 'k')).rejects.toThrow(ValidationFailed);
    expect(bulkStore.records.size).toBe(0);
    await expect(accept({ content, recipients: people(1) }, 'k')).resolves.toMatchObject({ replayed: false });
  });

  it('answers a repeated key with what it made, and refuses it with other content', async () => {
    const body = { content, recipients: people(2) };
    const first = await accept(body, 'k');
    expect(await accept(body, 'k')).toEqual({ ...first, replayed: true });
    expect(store.documents.size).toBe(2);
    await expect(accept({ content, recipients: people(3) }, 'k')).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  it('goes on where an interrupted one stopped, without doubling what is written', async () => {
    const body = { content, recipients: people(1_500) };
    store.failAfter = 1;
    await expect(accept(body, 'k')).rejects.toMatchObject({ code: 'unavailable' });
    expect(store.documents.size).toBe(1_000);
    store.failAfter = null;
    const { bulkId, replayed } = await accept(body, 'k');
    expect(replayed).toBe(false);
    expect(store.documents.size).toBe(1_500);
    expect(bulkStore.records.get(bulkId)).toMatchObject({ accepted: 1_500 });
  });

  it('lets one request at a time accept it', async () => {
    const body = { content, recipients: people(2) };
    bulkStore.busy = true;
    await accept(body, 'k');
    await expect(accept(body, 'k')).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
  });

  describe('by AMQP', () => {
    const intake = (): Intake => new Intake({ door, bulks, callerOf: (user) => (user === 'billing' ? CALLER : null) });
    const message = { messageId: 'm-1', userId: 'billing', traceparent: null };

    it('goes through the same door', async () => {
      const accepted = await intake().send({ ...message, payload: { ...content, to: 'ada@example.org' } });
      expect(accepted).toMatchObject({ kind: 'accepted', replayed: false, bulkId: null });
      expect(await intake().bulk({ ...message, payload: { content, recipients: people(2) } })).toMatchObject({
        kind: 'accepted',
        notificationId: null,
      });
    });

    it.each([
      [{ ...message, userId: 'stranger', payload: {} }, 'unauthorized', 'user_id'],
      [{ ...message, userId: null, payload: {} }, 'unauthorized', 'user_id'],
      [{ ...message, messageId: null, payload: {} }, 'validation_failed', 'message_id'],
      [{ ...message, payload: { ...content } }, 'validation_failed', '/userId'],
      [{ ...message, payload: { ...content, to: 'nobody' } }, 'validation_failed', '/to'],
      [{ ...message, payload: { ...content, serviceName: 'wellness', userId: 'p' } }, 'service_not_allowed', ''],
      [{ ...message, payload: 'text' }, 'validation_failed', ''],
    ])('refuses %j with %s at %s', async (given, code, field) => {
      const result = await intake().send(given);
      expect(result).toMatchObject({ kind: 'refused', code });
      expect(result.kind === 'refused' && result.errors.map((error) => error.field)).toContain(field);
    });

    it('leaves to a later time what a store did not take', async () => {
      store.down = true;
      const failed = await intake()
        .send({ ...message, payload: { ...content, to: 'ada@example.org' } })
        .catch((error: unknown) => error as DomainError);
      expect(failed).toBeInstanceOf(Error);
    });
  });

  it('fills in the variables of each recipient, over those of all', async () => {
    const template = { channel: 'email', template: { name: 'dose' } } as const;
    const [a, b, c] = people(3);
    const { bulkId } = await accept({
      content: { ...template, variables: { dose: '8' } },
      recipients: [a, { ...b, variables: { dose: '9' } }, { ...c, variables: { dose: 1 } }],
    });
    const bodies = [...store.documents.values()].map(({ notification }) => notification.body);
    expect(bodies).toEqual(['Take 8', 'Take 9']);
    expect(bulkStore.records.get(bulkId)?.refusals).toMatchObject([
      { index: 2, errors: [{ field: '/recipients/2/variables/dose' }] },
    ]);
    await expect(accept({ content: { ...template }, recipients: people(2) })).rejects.toThrow(ValidationFailed);
  });

  it('takes a template in each notification, too', async () => {
    const notifications = [
      { channel: 'email', template: { name: 'dose' }, to: 'd@example.org', variables: { dose: '7' } },
    ];
    await accept({ notifications });
    expect([...store.documents.values()].map(({ notification }) => notification.body)).toEqual(['Take 7']);
  });

  it('speaks the languages of its recipients, which it looks for together', async () => {
    for (const [userId, locale] of [
      ['p-0', 'fr-CI'],
      ['p-1', 'en'],
    ] as const)
      recipients.locales.set(userId, locale);
    const template = { channel: 'email', template: { name: 'dose' }, variables: { dose: '8' } } as const;
    await accept({ content: template, recipients: [...people(2), { ...people(1)[0], locale: 'de' }, ...people(4)] });
    const used = [...store.documents.values()].map(({ notification }) => notification.template?.locale);
    expect(used).toEqual(['fr-CI', 'en', 'de', 'fr-CI', 'en', 'default', 'default']);
    expect(recipients.localeLooks).toBe(1);
  });

  describe('by several channels', () => {
    const both = { channels: ['email', 'sms'], title: 'Clinic', body: 'Closed' };
    const one = (userId: string, over: object = {}) => ({
      userId,
      to: { email: `${userId}@example.org`, sms: '+2250707123456' },
      ...over,
    });
    const written = () => [...store.documents.values()].map(({ notification }) => notification);

    it('makes a group for each recipient, which is whole or refused', async () => {
      const recipients = [
        one('p-1'),
        one('p-2', { to: { email: 'no', sms: '+2250707123456' }, reference: 'r' }),
        one('p-3', { to: {} }),
      ];
      const { bulkId } = await accept({ content: { ...both, overrides: { sms: { body: 'Shut' } } }, recipients });
      expect(written()).toMatchObject([
        { channel: 'email', bulkId, bulkIndex: 0, body: 'Closed', group: { mode: 'all', position: 0 } },
        { channel: 'sms', bulkId, bulkIndex: 0, body: 'Shut', group: { mode: 'all', position: 1 } },
      ]);
      expect(new Set(written().map(({ groupId }) => groupId)).size).toBe(1);
      const record = bulkStore.records.get(bulkId);
      expect(record).toMatchObject({ total: 3, accepted: 1 });
      expect(record?.refusals.map(({ index, errors }) => [index, errors[0]?.field, errors[0]?.message])).toEqual([
        [1, '/recipients/1/to/email', 'for email must be an e-mail address'],
        [2, '/recipients/2', expect.stringContaining('email')],
      ]);
    });

    it('leaves out, with fallback, where a recipient has no target', async () => {
      const recipients = [{ userId: 'p-1', to: { sms: '+2250707123456' } }];
      await accept({ content: { ...both, mode: 'fallback', fallbackAfterSeconds: 60 }, recipients });
      expect(written()).toMatchObject([
        { channel: 'sms', waiting: null, group: { position: 0, fallbackAfterSeconds: 60, skipped: ['email'] } },
      ]);
    });

    it('names the channel of what a template refuses', async () => {
      const content = { channels: ['email', 'sms'], template: { name: 'dose' }, overrides: { sms: { body: 'Shut' } } };
      const dosed = one('p-2', { variables: { dose: '8' } });
      const { bulkId } = await accept({ content, recipients: [one('p-1'), dosed] });
      expect(written().map(({ body }) => body)).toEqual(['Take 8', 'Shut']);
      expect(bulkStore.records.get(bulkId)?.refusals).toMatchObject([
        { index: 0, errors: [{ field: '/recipients/0/variables/dose', message: 'for email is required' }] },
      ]);
    });

    it('goes on where it was interrupted, in chunks of so many notifications', async () => {
      const recipients = Array.from({ length: 600 }, (_, index) => one(`p-${index}`));
      const body = { content: both, recipients };
      store.failAfter = 1;
      await expect(accept(body, 'k')).rejects.toMatchObject({ code: 'unavailable' });
      const before = store.documents.size;
      expect(before).toBeLessThanOrEqual(1_000);
      store.failAfter = null;
      await accept(body, 'k');
      expect(store.documents.size).toBe(1_200);
    });

    it.each([
      [{ ...both, channel: 'push' }, '/content/channels'],
      [{ channel: 'push', body: 'x', overrides: {} }, '/content/overrides'],
      [{ ...both, fallbackAfterSeconds: 5 }, '/content/fallbackAfterSeconds'],
    ])('is refused as a whole where the content is wrong (%#)', (content, field) => {
      const body = { serviceName: 'diabetes', content, recipients: [{ userId: 'p' }] };
      const { error } = CreateBulk.safeParse(body);
      expect(error?.issues.map(({ path }) => `/${path.join('/')}`)).toEqual([field]);
    });

    it('is refused with more notifications than a bulk may have', () => {
      const recipients = Array.from({ length: 5_001 }, () => ({ userId: 'p' }));
      expect(CreateBulk.safeParse({ content: both, recipients }).error?.issues[0]?.path).toEqual(['recipients']);
      expect(CreateBulk.safeParse({ content: both, recipients: recipients.slice(1) }).success).toBe(true);
    });
  });
});
