import { describe, expect, it } from '@jest/globals';
import type { CounterUpkeep, RemovedCounters } from './ports.js';
import { StaleCounters } from './stale-counters.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const later = (ms: number): Date => new Date(NOW.getTime() + ms);

/** Counters by the end of their minute, the earliest first. */
class FakeCounters implements CounterUpkeep {
  readonly calls: { limit: number; from: string | null }[] = [];
  afterCall: () => void = () => undefined;

  constructor(public ends: readonly Date[]) {}

  deleteOver(at: Date, limit: number, from: string | null): Promise<RemovedCounters> {
    this.calls.push({ limit, from });
    const over = this.ends.filter((end) => end <= at).length;
    const deleted = Math.min(over, limit);
    this.ends = this.ends.slice(deleted);
    this.afterCall();
    return Promise.resolve({ deleted, next: over > limit ? `after ${this.calls.length}` : null });
  }
}

const run = (counters: FakeCounters, stop = new AbortController()): Promise<number> =>
  new StaleCounters({ counters, now: () => NOW }).run(stop.signal);

describe("counters of users' minutes", () => {
  it('are removed an hour after the minute', async () => {
    const [recent, scheduled] = [later(-HOUR + SECOND), later(60 * 24 * HOUR)];
    const counters = new FakeCounters([later(-24 * HOUR), later(-HOUR), recent, scheduled]);
    expect(await run(counters)).toBe(2);
    expect(counters.ends).toEqual([recent, scheduled]);
    expect(await run(counters)).toBe(0);
  });

  const many = (count: number): FakeCounters => new FakeCounters(Array<Date>(count).fill(later(-2 * HOUR)));

  it('are removed some at a time, each going on where the one before ended', async () => {
    const counters = many(25_000);
    expect(await run(counters)).toBe(25_000);
    expect(counters.calls).toEqual([null, 'after 1', 'after 2'].map((from) => ({ limit: 10_000, from })));
  });

  it('wait for the next time when it is told to stop', async () => {
    const counters = many(25_000);
    const stop = new AbortController();
    counters.afterCall = () => stop.abort();
    expect(await run(counters, stop)).toBe(10_000);
    expect(await run(counters)).toBe(15_000);
  });
});
