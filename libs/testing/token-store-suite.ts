import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StoredToken, TokenStore } from '#domain/token-store';

const HOUR_MS = 3_600_000;
const DUE = { renewBeforeMs: 300_000, leaseMs: 60_000 };

/** What every store of tokens does. @param make one with nothing in it, and another process's view of the same */
export const describeTokenStore = (title: string, make: () => TokenStore | Promise<TokenStore>): void => {
  describe(title, () => {
    let store: TokenStore;
    beforeEach(async () => {
      store = await make();
    });
    const take = (due: Partial<typeof DUE> = {}): Promise<StoredToken> => store.take('orange', { ...DUE, ...due });
    const renew = async (sealed: string, lifeMs: number): Promise<void> => {
      const { lease } = await take();
      if (lease === null) throw new Error('somebody else renews it');
      await store.put('orange', lease, { sealed, lifeMs });
    };

    it('tells exactly one of many to get what is missing', async () => {
      const taken = await Promise.all(Array.from({ length: 20 }, () => take()));
      expect(taken.filter(({ lease }) => lease !== null)).toHaveLength(1);
      for (const one of taken) expect(one).toMatchObject({ sealed: null, leftMs: 0 });
    });

    it('hands out what was put, and lets nobody renew it as long as it is good', async () => {
      await renew('one', HOUR_MS);
      const { leftMs, ...rest } = await take();
      expect(rest).toEqual({ sealed: 'one', lease: null });
      expect(leftMs).toBeGreaterThan(HOUR_MS - 60_000);
      expect(leftMs).toBeLessThanOrEqual(HOUR_MS);
    });

    it('has one renew it shortly before its end, while the others go on with it', async () => {
      await renew('one', DUE.renewBeforeMs - 1);
      const taken = await Promise.all(Array.from({ length: 10 }, () => take()));
      expect(taken.filter(({ lease }) => lease !== null)).toHaveLength(1);
      expect(new Set(taken.map(({ sealed }) => sealed))).toEqual(new Set(['one']));
    });

    it('has another one try after one gave up', async () => {
      const { lease } = await take();
      expect((await take()).lease).toBeNull();
      await store.giveUp('orange', lease ?? '');
      expect((await take()).lease).not.toBeNull();
    });

    it('has another one try when the lease is over, and takes nothing from the first any more', async () => {
      const first = await take({ leaseMs: 0 });
      const second = await take();
      expect(second.lease).not.toBeNull();
      await store.put('orange', first.lease ?? '', { sealed: 'late', lifeMs: HOUR_MS });
      await store.giveUp('orange', first.lease ?? '');
      expect(await take()).toEqual({ sealed: null, leftMs: 0, lease: null });
      await store.put('orange', second.lease ?? '', { sealed: 'two', lifeMs: HOUR_MS });
      expect((await take()).sealed).toBe('two');
    });

    it('forgets the one that was refused, and no later one', async () => {
      await renew('one', HOUR_MS);
      await store.invalidate('orange', 'one');
      const { lease, sealed } = await take();
      expect(sealed).toBeNull();
      await store.put('orange', lease ?? '', { sealed: '$two', lifeMs: HOUR_MS });
      await store.invalidate('orange', 'one');
      expect((await take()).sealed).toBe('$two');
    });

    it('keeps names apart', async () => {
      await renew('one', HOUR_MS);
      expect(await store.take('other', DUE)).toMatchObject({ sealed: null, lease: expect.any(String) });
    });
  });
};
