import { describe, expect, it } from '@jest/globals';
import { Keys } from '#access/keys';
import { BadUsage } from '#composition/process';
import { SCOPES } from '#contracts/vocabulary';
import { MemoryKeyStore, RecordingInvalidations } from '#testing/memory-access';
import { createKey } from './create-key.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const setUp = () => {
  const store = new MemoryKeyStore();
  const keys = new Keys({ store, invalidations: new RecordingInvalidations(), now: () => now, cache: { ttlMs: 0 } });
  const run = (line: string) => createKey(line.split(' '), { keys, services: ['diabetes', 'test'], now: () => now });
  return { store, keys, run };
};

describe('create-key', () => {
  it('prints id and key as JSON', async () => {
    const { store, keys, run } = setUp();
    const line = await run('--owner dev --scopes all --services all --expires-in 24h --json');
    const { id, key } = JSON.parse(line) as { id: string; key: string };
    expect(store.keys.get(id)).toMatchObject({
      owner: 'dev',
      scopes: [...SCOPES],
      services: ['diabetes', 'test'],
      expiresAt: new Date('2026-11-22T08:00:00.000Z'),
    });
    expect((await keys.authenticate(key)).owner).toBe('dev');
  });

  it('prints the key alone, which never expires unless said so', async () => {
    const { store, run } = setUp();
    const text = await run('--owner dev --scopes notifications:send,notifications:read --services test');
    expect(text).toMatch(/^car_[0-9a-f]{24}_[A-Za-z0-9_-]{43}$/);
    expect([...store.keys.values()]).toMatchObject([{ expiresAt: null, services: ['test'] }]);
  });

  it.each([
    ['--scopes all --services all', 'owner'],
    ['--owner dev --services all', '--scopes is required'],
    ['--owner dev --scopes all --services mars', '--services: mars is none of diabetes, test'],
    ['--owner dev --scopes fly --services all', '--scopes: fly'],
    ['--owner a/b --scopes all --services all', '--owner must be'],
    ['--owner dev --scopes all --services all --expires-in soon', '--expires-in'],
    ['--owner dev --scopes all --services all --expires-in 0h', '--expires-in'],
    ['--owner dev --scopes all --services all --expires-in 999999999d', '--expires-in'],
    ['--colour red', '--colour'],
  ])('tells what is wrong with %s', async (line, message) => {
    const { run } = setUp();
    const failed = run(line);
    await expect(failed).rejects.toThrow(BadUsage);
    await expect(failed).rejects.toThrow(message);
  });
});
