import { beforeEach, describe, expect, it } from '@jest/globals';
import { CreateGroup } from '#contracts/http/groups';
import { IdempotencyKeyReused, NoTarget, RateLimited, ValidationFailed } from '#domain/errors';
import { isHeldBack } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { callerOf } from '#testing/callers';
import {
  MemoryAcceptStore,
  MemoryRecipientLookup,
  MemoryTemplates,
  MemoryUserLimits,
  RecordingAnnouncer,
} from '#testing/memory-acceptance';
import { MemoryGroups } from '#testing/memory-groups';
import { MemoryChannelLimits } from '#testing/memory-limits';
import { Door } from './door.js';
import { type AcceptedGroup, Groups } from './groups.js';
import { limitSettings } from './limits.js';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const MINUTE = new Date('2026-11-21T08:00:00.000Z');

let store: MemoryAcceptStore;
let limits: MemoryUserLimits;
let announcer: RecordingAnnouncer;
let templates: MemoryTemplates;
let recipients: MemoryRecipientLookup;
let channelLimits: MemoryChannelLimits;
let groups: Groups;
beforeEach(() => {
  let ids = 0;
  const newId = (): string => (ids += 1).toString(16).padStart(24, '0');
  store = new MemoryAcceptStore();
  limits = new MemoryUserLimits();
  channelLimits = new MemoryChannelLimits();
  announcer = new RecordingAnnouncer();
  templates = new MemoryTemplates();
  recipients = new MemoryRecipientLookup(['diabetes:email:p-1', 'diabetes:sms:p-1', 'diabetes:push:p-2']);
  const door = new Door({
    store,
    limits,
    channelLimits,
    recipients,
    templates,
    announcer,
    settings: limitSettings.parse({ USER_LIMIT_PER_MINUTE: '3' }),
    countryOf: () => undefined,
    newId,
    now: () => NOW,
  });
  const members = new MemoryGroups(() => [...store.documents.values()].map(({ notification }) => notification));
  groups = new Groups({ door, store, members, newId });
});

const unknownTemplate = (): ValidationFailed =>
  new ValidationFailed([{ in: 'body', field: '/template', code: 'unknown_template', message: 'is none' }]);
const ask = (raw: Record<string, unknown>, idempotencyKey: string | null = null): Promise<AcceptedGroup> => {
  const whole = { title: 'Insulin', body: 'Now', userId: 'p-1', channels: ['email', 'sms'], ...raw };
  return groups.accept(callerOf(), {
    input: CreateGroup.parse(whole),
    raw: whole,
    idempotencyKey,
    traceparent: null,
  });
};
const written = (): Notification[] => [...store.documents.values()].map(({ notification }) => notification);
const fieldsOf = async (asked: Promise<unknown>): Promise<string[]> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown as ValidationFailed,
  );
  expect(written()).toEqual([]);
  return (error?.errors ?? []).map(({ field, message }) => `${field} ${message.split(' ').slice(0, 2).join(' ')}`);
};

describe('a group for all channels', () => {
  it('is one notification for each, under one id, written at once', async () => {
    const { groupId, notifications, replayed } = await ask({ reference: 'rx-1' });
    expect(replayed).toBe(false);
    expect(notifications).toEqual(written());
    expect(notifications.map(({ channel }) => channel)).toEqual(['email', 'sms']);
    expect(store.writes).toBe(1);
    for (const one of notifications) expect(one).toMatchObject({ groupId, reference: 'rx-1', group: { mode: 'all' } });
    expect(announcer.announcements.map(({ wake }) => wake)).toEqual(['now', 'now']);
    expect(limits.count('diabetes::u:p-1', MINUTE)).toBe(2);
  });

  it('says otherwise where a channel does', async () => {
    const { notifications } = await ask({
      channels: ['email', 'sms', 'push'],
      to: { push: 'token', email: ['ada@example.org'] },
      html: '<p>Now</p>',
      data: { rx: '1' },
      overrides: { sms: { body: 'Now!' }, push: { title: 'Dose', data: { more: 'x' } } },
    });
    expect(notifications).toMatchObject([
      { title: 'Insulin', body: 'Now', html: '<p>Now</p>', to: ['ada@example.org'] },
      { body: 'Now!', html: null, to: null },
      { title: 'Dose', body: 'Now', html: null, data: { rx: '1', more: 'x' }, to: ['token'] },
    ]);
  });

  it('is made from templates, of all or of one channel', async () => {
    const { notifications } = await ask({
      title: undefined,
      body: undefined,
      template: { name: 'dose' },
      variables: { dose: '8' },
      locale: 'fr',
      overrides: { sms: { body: 'Eight' } },
    });
    expect(notifications).toMatchObject([
      { body: 'Take 8', template: { name: 'dose', version: 3, locale: 'fr' } },
      { body: 'Eight', template: null },
    ]);
  });

  it('speaks the language of its recipient, unless the request names one', async () => {
    recipients.locales.set('p-1', 'fr-CI');
    const asked = { title: undefined, body: undefined, template: { name: 'dose' }, variables: { dose: '8' } };
    const localesOf = ({ notifications }: AcceptedGroup) => notifications.map(({ template }) => template?.locale);
    expect(localesOf(await ask({ ...asked, channels: ['email'] }))).toEqual(['fr-CI']);
    expect(localesOf(await ask({ ...asked, overrides: { sms: { locale: 'en' } } }))).toEqual(['fr-CI', 'en']);
    expect(recipients.localeLooks).toBe(2);
    await ask({ ...asked, userId: 'p-2', to: { push: 'token' }, channels: ['push'], locale: 'de' });
    expect(recipients.localeLooks).toBe(2);
    recipients.locales.set('p-2', 'no-such-long-language-tag');
    const plain = await ask({ ...asked, userId: 'p-2', channels: ['push'] });
    expect(localesOf(plain)).toEqual(['default']);
  });

  it('is refused as a whole, with channel and field', async () => {
    expect(await fieldsOf(ask({ title: null }))).toEqual(['/title for email']);
    expect(await fieldsOf(ask({ to: { sms: ['1', '+2250707123456'] }, body: undefined }))).toEqual([
      '/body for email',
      '/to/sms/0 for sms',
      '/body for sms',
    ]);
    expect(await fieldsOf(ask({ overrides: { sms: { html: '<p>' } } }))).toEqual(['/overrides/sms/html for sms']);
    expect(await fieldsOf(ask({ overrides: { push: {} }, to: { slack: '#a' } }))).toEqual([
      '/to/slack must be',
      '/overrides/push must be',
    ]);
    expect(await fieldsOf(ask({ userId: null, to: { email: 'ada@example.org' } }))).toEqual(['/to/sms is required']);
    expect(await fieldsOf(ask({ fallbackAfterSeconds: 5 }))).toEqual(['/fallbackAfterSeconds is for']);
    expect(
      await fieldsOf(ask({ title: undefined, body: undefined, template: { name: 'dose' }, overrides: {} })),
    ).toEqual(['/variables/dose for email', '/variables/dose for sms']);
  });

  it('is refused without a target on one of them, and takes no place', async () => {
    await expect(ask({ channels: ['email', 'push'] })).rejects.toThrow(new NoTarget('push'));
    expect(written()).toEqual([]);
    expect(limits.count('diabetes::u:p-1', MINUTE)).toBe(0);
  });

  it('is refused where one of them gets no place, and gives the others back', async () => {
    await ask({});
    await expect(ask({})).rejects.toThrow(RateLimited);
    expect(written()).toHaveLength(2);
    expect(limits.count('diabetes::u:p-1', MINUTE)).toBe(2);
    const { notifications } = await ask({ onLimit: 'wait' });
    expect(notifications.map(({ waiting }) => waiting?.reason)).toEqual([undefined, 'rate_limit']);
  });
});

describe('a group of which one channel is at its limit', () => {
  it('is refused as a whole, and gives back the places of its user', async () => {
    channelLimits.left.set('diabetes/sms', 0);
    await expect(ask({})).rejects.toThrow(RateLimited);
    expect(written()).toEqual([]);
    expect(limits.count('diabetes::u:p-1', MINUTE)).toBe(0);
  });

  it('waits in that channel alone, where it may wait', async () => {
    channelLimits.left.set('diabetes/sms', 0);
    const { notifications } = await ask({ onLimit: 'wait' });
    expect(notifications.map(({ waiting }) => waiting?.reason)).toEqual([undefined, 'rate_limit']);
  });
});

describe('a group with fallback', () => {
  const fallback = { mode: 'fallback', fallbackAfterSeconds: 60 };

  it('sends the first and holds back the others, which take no place', async () => {
    const { notifications } = await ask(fallback);
    expect(notifications.map(isHeldBack)).toEqual([false, true]);
    expect(announcer.announcements.map(({ wake }) => wake)).toEqual(['now', 'none']);
    expect([...store.documents.values()].map(({ outbox }) => outbox?.wake)).toEqual([true, false]);
    expect(limits.count('diabetes::u:p-1', MINUTE)).toBe(1);
  });

  it('takes the place of a channel for the first alone; who is held back takes one when its turn comes', async () => {
    channelLimits.left.set('diabetes/email', 1).set('diabetes/sms', 1);
    const { notifications } = await ask(fallback);
    expect(channelLimits.left).toEqual(
      new Map([
        ['diabetes/email', 0],
        ['diabetes/sms', 1],
      ]),
    );
    expect(notifications.map(({ place }) => place !== null)).toEqual([true, false]);
    await expect(ask(fallback)).rejects.toThrow(RateLimited);
    expect(written()).toHaveLength(2);
  });

  it('leaves out channels without a target, and begins with the first that is left', async () => {
    const { notifications } = await ask({ ...fallback, channels: ['push', 'email', 'webhook', 'sms'] });
    expect(notifications.map(({ channel }) => channel)).toEqual(['email', 'sms']);
    expect(notifications.map(isHeldBack)).toEqual([false, true]);
    expect(notifications[1]?.group).toMatchObject({ position: 1, skipped: ['push', 'webhook'] });
    expect(written()).toHaveLength(2);
  });

  it('is refused where no channel has one', async () => {
    await expect(ask({ ...fallback, userId: 'p-9' })).rejects.toThrow(NoTarget);
    expect(written()).toEqual([]);
  });
});

describe('a repeated key', () => {
  it('answers the same group, also when it came at the same time, and when the template has changed', async () => {
    const asked = { title: undefined, body: undefined, template: { name: 'dose' }, variables: { dose: '8' } };
    const [first, second] = await Promise.all([ask(asked, 'k'), ask(asked, 'k')]);
    expect([first?.replayed, second?.replayed].sort()).toEqual([false, true]);
    expect(second?.groupId).toBe(first?.groupId);
    expect(second?.notifications).toEqual(first?.notifications);
    templates.render = () => Promise.reject(unknownTemplate());
    expect(await ask(asked, 'k')).toEqual({ ...first, replayed: true });
    await expect(ask(asked, 'other')).rejects.toThrow(ValidationFailed);
    await expect(ask({ ...asked, locale: 'fr' }, 'k')).rejects.toThrow(IdempotencyKeyReused);
    expect(written()).toHaveLength(2);
  });

  it('is refused with other content', async () => {
    await ask({}, 'k');
    await expect(ask({ body: 'Later' }, 'k')).rejects.toThrow(IdempotencyKeyReused);
    expect((await ask({}, 'k')).replayed).toBe(true);
    expect(written()).toHaveLength(2);
  });

  it('answers the same also where a channel was left out', async () => {
    const asked = { channels: ['push', 'email'], mode: 'fallback' };
    const first = await ask(asked, 'k');
    expect(await ask(asked, 'k')).toEqual({ ...first, replayed: true });
  });
});
