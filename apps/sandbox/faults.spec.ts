import { describe, expect, it } from '@jest/globals';
import { type Fault, FaultPlan, faultSchema } from './faults.js';

const fault = (fields: object): Fault => faultSchema.parse({ kind: 'reset', ...fields });
const plan = (...faults: object[]): FaultPlan => {
  const created = new FaultPlan({ stages: ['send', 'auth'], usualStage: () => 'send', problem: () => null });
  expect(created.set(faults.map(fault))).toBeNull();
  return created;
};
/** One letter per request: the kind's first, or a point. */
const pattern = (faults: FaultPlan, requests: number, target = 'x'): string =>
  Array.from({ length: requests }, () => faults.strike('send', target)?.kind[0] ?? '.').join('');

describe('FaultPlan', () => {
  it('strikes an exact share, evenly spread', () => {
    expect(pattern(plan({ share: 0.25 }), 12)).toBe('...r...r...r');
    expect(pattern(plan({ share: 0.1 }), 10)).toBe('.........r');
    expect(pattern(plan({ share: 0.1 }), 1000).replaceAll('.', '')).toHaveLength(100);
    expect(pattern(plan({ share: 0 }), 5)).toBe('.....');
  });

  it('stops after its count', () => {
    expect(pattern(plan({ count: 2 }), 5)).toBe('rr...');
  });

  it('leaves to later faults what earlier ones did not take', () => {
    expect(pattern(plan({ share: 0.5 }, { kind: 'drop', count: 2 }), 6)).toBe('drdr.r');
  });

  it('minds target and stage', () => {
    const faults = plan({ match: 'bad' }, { stage: 'auth', kind: 'hang' });
    expect(faults.strike('send', 'a good one')).toBeNull();
    expect(faults.strike('send', 'a bad one')?.kind).toBe('reset');
    expect(faults.strike('auth', '')?.kind).toBe('hang');
    expect(faults.list().map(({ seen, struck }) => [seen, struck])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('refuses a stage that the channel has not, and keeps what was set', () => {
    const faults = plan({ count: 7 });
    expect(faults.set([fault({ stage: 'lunch' })])).toBe('fault 0: stage is one of send, auth');
    expect(faults.list()).toHaveLength(1);
  });

  it('refuses what is incomplete', () => {
    expect(faultSchema.safeParse({ kind: 'latency' }).success).toBe(false);
    expect(faultSchema.safeParse({ kind: 'status' }).success).toBe(false);
    expect(faultSchema.safeParse({ kind: 'reset', chance: 1 }).success).toBe(false);
  });
});
