import { beforeEach, describe, expect, it } from '@jest/globals';
import { SCOPES } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import {
  Conflict,
  InsufficientScope,
  InvalidCursor,
  InvalidTransition,
  NotFound,
  ServiceNotAllowed,
  Unauthorized,
  ValidationFailed,
} from '#domain/errors';
import { MemoryKeyStore, RecordingInvalidations } from '#testing/memory-access';
import { type IssuedKey, Keys, KEYS_CACHE } from './keys.js';
import { hashSecret, parseKey } from './secret.js';

const START = Date.parse('2026-11-21T08:00:00.000Z');
const admin: Caller = {
  actor: 'key:admin',
  owner: 'operators',
  scopes: new Set(SCOPES),
  services: new Set(['diabetes', 'wellness']),
};
const input = {
  owner: 'billing',
  scopes: ['notifications:send' as const, 'notifications:send' as const],
  services: ['diabetes'],
};

describe('Keys', () => {
  let now: number;
  let store: MemoryKeyStore;
  let invalidations: RecordingInvalidations;
  let keys: Keys;
  let issued: IssuedKey;
  beforeEach(async () => {
    now = START;
    store = new MemoryKeyStore();
    invalidations = new RecordingInvalidations();
    keys = new Keys({
      store,
      invalidations,
      now: () => new Date(now),
      cache: { ttlMs: 5_000, clock: () => now },
    });
    issued = await keys.create(admin, input);
  });

  it('know who presents one', async () => {
    const caller = await keys.authenticate(issued.text);
    expect(caller).toEqual({
      actor: `key:${issued.key.id}`,
      owner: 'billing',
      scopes: new Set(['notifications:send']),
      services: new Set(['diabetes']),
    });
    expect(await keys.authenticate(issued.text)).toBe(caller);
    expect(store.finds).toBe(1);
  });

  it('keep no secret', () => {
    const secret = parseKey(issued.text)?.secret ?? '';
    expect(secret).toHaveLength(43);
    expect(JSON.stringify([...store.keys.values()])).not.toContain(secret);
    expect(issued.key.hash).toBe(hashSecret(secret));
  });

  it('let nobody in with anything else', async () => {
    const swapped = issued.text.slice(0, -1) + (issued.text.endsWith('A') ? 'B' : 'A');
    const unknown = `car_${'0'.repeat(24)}_${'A'.repeat(43)}`;
    for (const presented of ['', 'car_', swapped, unknown, `${issued.text} `, issued.text.toUpperCase()])
      await expect(keys.authenticate(presented)).rejects.toThrow(Unauthorized);
  });

  it('end when they expire', async () => {
    const { text } = await keys.create(admin, { ...input, expiresAt: new Date(now + 1_000).toISOString() });
    await keys.authenticate(text);
    now += 1_000;
    await expect(keys.authenticate(text)).rejects.toThrow(Unauthorized);
  });

  it('end at once when they are revoked, here and (told so) elsewhere', async () => {
    const elsewhere = new Keys({ store, invalidations, now: () => new Date(now), cache: { ttlMs: 5_000 } });
    await elsewhere.authenticate(issued.text);
    await keys.authenticate(issued.text);
    await keys.revoke(admin, issued.key.id);
    await expect(keys.authenticate(issued.text)).rejects.toThrow(Unauthorized);
    await elsewhere.authenticate(issued.text);
    expect(invalidations.published.at(-1)).toEqual({ cache: KEYS_CACHE, key: issued.key.id });
    elsewhere.invalidate(issued.key.id);
    await expect(elsewhere.authenticate(issued.text)).rejects.toThrow(Unauthorized);
    await keys.revoke(admin, issued.key.id);
  });

  it('have a successor of the same owner, beside which the old one stays valid for a while', async () => {
    const successor = await keys.rotate(admin, issued.key.id, { graceSeconds: 60 });
    expect(successor.key).toMatchObject({ owner: 'billing', services: ['diabetes'], expiresAt: null });
    expect((await keys.authenticate(successor.text)).owner).toBe('billing');
    await keys.authenticate(issued.text);
    now += 60_000;
    await expect(keys.authenticate(issued.text)).rejects.toThrow(Unauthorized);
    await keys.authenticate(successor.text);
  });

  it('have no successor once they have ended, or end meanwhile', async () => {
    const expireAt = store.expireAt.bind(store);
    store.expireAt = async (id, at) => {
      await store.revoke(id, new Date(now));
      return expireAt(id, at);
    };
    await expect(keys.rotate(admin, issued.key.id, { graceSeconds: 60 })).rejects.toThrow(Conflict);
    expect([...store.keys.values()].every(({ revokedAt }) => revokedAt !== null)).toBe(true);
    now += 1;
    await expect(keys.rotate(admin, issued.key.id, { graceSeconds: 60 })).rejects.toThrow(InvalidTransition);
  });

  it('give nobody more than who makes them', async () => {
    const manager: Caller = { ...admin, scopes: new Set(['keys:manage']), services: new Set(['diabetes']) };
    await expect(keys.create(manager, input)).rejects.toThrow(InsufficientScope);
    await expect(keys.rotate(manager, issued.key.id, { graceSeconds: 0 })).rejects.toThrow(InsufficientScope);
    await expect(keys.create(manager, { ...input, services: ['wellness'] })).rejects.toThrow(ServiceNotAllowed);
    await keys.revoke(manager, issued.key.id);
  });

  it('are out of sight for who may not use all their services', async () => {
    const both = await keys.create(admin, { ...input, services: ['diabetes', 'wellness'] });
    const one: Caller = { ...admin, services: new Set(['diabetes']) };
    await expect(keys.revoke(one, both.key.id)).rejects.toThrow(NotFound);
    await expect(keys.rotate(one, both.key.id, { graceSeconds: 0 })).rejects.toThrow(NotFound);
    await expect(keys.revoke(one, 'f'.repeat(24))).rejects.toThrow(NotFound);
    expect((await keys.list(one, { limit: 10 })).data.map(({ id }) => id)).toEqual([issued.key.id]);
  });

  it('are listed newest first, in whole pages though some are out of sight', async () => {
    const made = [issued.key.id];
    for (let count = 0; count < 5; count += 1) {
      now += 1_000;
      made.unshift((await keys.create(admin, input)).key.id);
      await keys.issue({ ...input, services: ['maternity'] });
    }
    const first = await keys.list(admin, { limit: 4 });
    const cursor = first.page.nextCursor ?? '';
    const second = await keys.list(admin, { limit: 4, cursor });
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(made);
    expect([first.page.hasMore, second.page.hasMore]).toEqual([true, false]);
    await expect(keys.list(admin, { limit: 4, cursor: 'x' })).rejects.toThrow(InvalidCursor);
  });

  it('do not begin after they end', async () => {
    await expect(keys.create(admin, { ...input, expiresAt: new Date(now).toISOString() })).rejects.toThrow(
      ValidationFailed,
    );
  });
});
