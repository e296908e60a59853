import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recipientKey } from '#acceptance/ports';
import type { RecipientProfile } from '#access/ports';
import { anId } from '#testing/builders';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { MongoRecipientStore } from './recipient-store.js';
import { MongoRecipientTargets } from './recipient-targets.js';

const PROFILE: RecipientProfile = {
  email: 'ada@example.org',
  phone: '+2250707123456',
  webhookUrl: 'https://example.org/hook',
  locale: 'fr-CI',
  timezone: 'Africa/Abidjan',
  attributes: { plan: 'gold', 'a.b': { $c: 1 } },
};
const EMPTY: RecipientProfile = {
  email: null,
  phone: null,
  webhookUrl: null,
  locale: null,
  timezone: null,
  attributes: {},
};

describe('recipients', () => {
  let test: TestDatabases;
  let store: MongoRecipientStore;
  let targets: MongoRecipientTargets;
  beforeAll(async () => {
    test = await openTestDatabases();
    store = new MongoRecipientStore(test.databases, 3);
    targets = new MongoRecipientTargets(test.databases, recipientKey);
  });
  afterAll(() => test.drop());

  it('are made and replaced, and keep their devices', async () => {
    const userId = anId();
    expect(await store.get('test', userId)).toBeNull();
    const made = await store.put('test', userId, PROFILE);
    expect(made).toEqual({
      serviceName: 'test',
      userId,
      ...PROFILE,
      devices: [],
      createdAt: made.createdAt,
      updatedAt: made.updatedAt,
    });
    const device = await store.addDevice('test', userId, anId(), 'ios');
    const replaced = await store.put('test', userId, EMPTY);
    expect(replaced).toMatchObject({ ...EMPTY, devices: [device], createdAt: made.createdAt });
    expect(await store.get('test', userId)).toEqual(replaced);
    expect(await store.get('diabetes', userId)).toBeNull();
    expect(await store.delete('test', userId)).toBe(true);
    expect(await store.delete('test', userId)).toBe(false);
  });

  it('come into being with their first device', async () => {
    const userId = anId();
    const device = await store.addDevice('test', userId, '$token', 'android');
    expect(device).toMatchObject({ token: '$token', platform: 'android' });
    expect(device.id).toMatch(/^[0-9a-f]{24}$/);
    expect(await store.get('test', userId)).toMatchObject({ ...EMPTY, devices: [device] });
  });

  it('have a token once, and as many devices as they may', async () => {
    const userId = anId();
    const tokens = Array.from({ length: 4 }, anId);
    const [first, second, third, fourth] = tokens;
    const device = await store.addDevice('test', userId, first ?? '', 'ios');
    await store.addDevice('test', userId, second ?? '', 'ios');
    expect(await store.addDevice('test', userId, first ?? '', 'web')).toEqual({ ...device, platform: 'web' });
    await store.addDevice('test', userId, third ?? '', 'ios');
    await store.addDevice('test', userId, fourth ?? '', 'ios');
    expect((await store.get('test', userId))?.devices.map(({ token }) => token)).toEqual([second, third, fourth]);
  });

  it('lose a token to whoever registers it last, also at the same moment', async () => {
    const token = anId();
    const users = Array.from({ length: 4 }, anId);
    for (const user of users.slice(0, 2)) await store.addDevice('test', user, token, 'ios');
    expect((await store.get('test', users[0] ?? ''))?.devices).toEqual([]);
    await Promise.all(users.map((user) => store.addDevice('test', user, token, 'ios')));
    const having = await Promise.all(users.map((user) => store.get('test', user)));
    expect(having.flatMap((one) => one?.devices ?? [])).toHaveLength(1);
  });

  it('lose a device', async () => {
    const userId = anId();
    const { id } = await store.addDevice('test', userId, anId(), 'ios');
    expect(await store.removeDevice('test', anId(), id)).toBe(false);
    expect(await store.removeDevice('test', userId, id)).toBe(true);
    expect(await store.removeDevice('test', userId, id)).toBe(false);
  });

  it('tell their targets, in the order of registration', async () => {
    const [full, empty, unknown] = [anId(), anId(), anId()];
    await store.put('test', full, PROFILE);
    await store.put('test', empty, EMPTY);
    const tokens = [anId(), anId()];
    for (const token of tokens) await store.addDevice('test', full, token, 'ios');
    const users = [full, empty, unknown];
    expect(await targets.targetsOf('test', 'push', users)).toEqual(new Map([[full, tokens]]));
    expect(await targets.targetsOf('test', 'email', users)).toEqual(new Map([[full, [PROFILE.email]]]));
    expect(await targets.targetsOf('test', 'webhook', users)).toEqual(new Map([[full, [PROFILE.webhookUrl]]]));
    const wanted = users.flatMap((userId) => [
      { serviceName: 'test', channel: 'push' as const, userId },
      { serviceName: 'diabetes', channel: 'email' as const, userId },
      { serviceName: 'test', channel: 'email' as const, userId },
    ]);
    expect(await targets.withTarget(wanted)).toEqual(
      new Set([recipientKey('test', 'push', full), recipientKey('test', 'email', full)]),
    );
    expect(await targets.withTarget([])).toEqual(new Set());
    // Recipients have nothing of their own there.
    expect(await targets.targetsOf('test', 'slack', users)).toEqual(new Map());
    expect(await targets.withTarget([{ serviceName: 'test', channel: 'slack', userId: full }])).toEqual(new Set());
  });

  it('have a language, or none', async () => {
    const [french, none] = [anId(), anId()];
    await store.put('test', french, { ...PROFILE, locale: 'fr-CI' });
    await store.put('test', none, { ...PROFILE, locale: null });
    expect(await targets.localesOf('test', [french, none, french, anId()])).toEqual(new Map([[french, 'fr-CI']]));
    expect(await targets.localesOf('diabetes', [french])).toEqual(new Map());
  });

  it('forget targets that are gone', async () => {
    const [one, other] = [anId(), anId()];
    const [gone, kept] = [anId(), anId()];
    await store.put('test', one, { ...PROFILE, email: 'gone@example.org', webhookUrl: 'https://gone.example.org/' });
    await store.put('test', other, PROFILE);
    await store.addDevice('test', one, gone, 'ios');
    await store.addDevice('test', one, kept, 'ios');
    await targets.forget('test', 'push', [gone]);
    await targets.forget('test', 'email', ['gone@example.org']);
    await targets.forget('test', 'webhook', ['https://gone.example.org/']);
    await targets.forget('test', 'slack', [gone, kept]);
    expect(await store.get('test', one)).toMatchObject({ email: null, webhookUrl: null, devices: [{ token: kept }] });
    expect(await store.get('test', other)).toMatchObject(PROFILE);
  });

  it('are found by indexes alone', async () => {
    const userId = anId();
    const plans = await test.plansOf(async () => {
      await store.put('test', userId, PROFILE);
      const { id } = await store.addDevice('test', userId, anId(), 'ios');
      await store.get('test', userId);
      await store.removeDevice('test', userId, id);
      await targets.targetsOf('test', 'push', [userId]);
      await targets.localesOf('test', [userId]);
      await targets.forget('test', 'push', ['t']);
      await targets.forget('test', 'email', ['e']);
      await targets.forget('test', 'webhook', ['w']);
      await store.delete('test', userId);
    });
    expect(plans.map(({ indexes }) => indexes.join())).toEqual([
      '_id_',
      '_id_',
      '_id_',
      'device_token',
      '_id_',
      '_id_',
      '_id_',
      '_id_',
      'device_token',
      'email',
      'webhook_url',
      '_id_',
    ]);
  });
});
