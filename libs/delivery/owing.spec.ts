import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryClaimDebts } from '#testing/memory-delivery';
import { OwingClaims } from './owing.js';
import type { OwingClaim } from './ports.js';

const aClaim = (size = 8): OwingClaim => ({
  token: `token-${size}`,
  serviceName: 'diabetes',
  ids: Array.from({ length: size }, (_, id) => `${id}`),
  at: new Date('2026-11-21T08:00:40.000Z'),
});

describe('OwingClaims', () => {
  let debts: MemoryClaimDebts;
  let owing: OwingClaims;
  beforeEach(() => {
    debts = new MemoryClaimDebts();
    owing = new OwingClaims(debts);
  });

  it('leaves a small claim to its documents', () => {
    expect(owing.begin(aClaim(7))).toBeNull();
    expect(debts.owed.size).toBe(0);
  });

  it('owes until all of a claim was settled and told', async () => {
    const claim = owing.begin(aClaim());
    expect(await claim?.written).toBe(true);
    expect([...debts.owed.values()]).toEqual([aClaim()]);
    const told = claim?.part();
    await claim?.end();
    await owing.drained();
    expect(debts.owed.size).toBe(1);
    await told?.(true);
    await owing.drained();
    expect(debts.owed.size).toBe(0);
    expect(debts.left).toEqual([]);
  });

  it('leaves to the relay what the broker did not confirm', async () => {
    const claim = owing.begin(aClaim());
    const [first, second] = [claim?.part(), claim?.part()];
    await claim?.end();
    await first?.(false);
    await second?.(true);
    await owing.drained();
    expect([...debts.owed.keys()]).toEqual(['token-8']);
    expect(debts.left).toEqual(['token-8']);
  });

  it('says where it could not be written, and bears that it cannot be forgotten', async () => {
    debts.down = true;
    const claim = owing.begin(aClaim());
    expect(await claim?.written).toBe(false);
    await claim?.end();
    await expect(owing.drained()).resolves.toBeUndefined();
  });
});
