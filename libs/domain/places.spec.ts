import { describe, expect, it } from '@jest/globals';
import { LIMIT_KINDS } from '#contracts/vocabulary';
import { type LimitRule, placesOf, type PlacesState } from './places.js';

const MINUTE = 60_000;
/** 20 s into a minute. */
const NOW = 29_000_000 * MINUTE + 20_000;

/** When each of `count` that ask at `now` has its place, in milliseconds from NOW. */
const given = (rule: LimitRule, count: number, state: PlacesState | null = null, now = NOW) => {
  const places = placesOf(rule, state, now);
  const times = Array.from({ length: count }, () => {
    const at = places.next();
    places.take();
    return at - NOW;
  });
  return { times, state: places.state };
};

const ofKind = (kind: LimitRule['kind'], max: number, periodMs = MINUTE): LimitRule => ({ kind, max, periodMs });

describe('a token bucket', () => {
  it('gives all its places at once, then one after the other', () => {
    expect(given(ofKind('token-bucket', 4), 8).times).toEqual([0, 0, 0, 0, 15_000, 30_000, 45_000, 60_000]);
  });

  it('fills again with time, and never beyond its size', () => {
    const { state } = given(ofKind('token-bucket', 4), 4);
    expect(given(ofKind('token-bucket', 4), 3, state, NOW + 30_000).times).toEqual([30_000, 30_000, 45_000]);
    expect(given(ofKind('token-bucket', 4), 5, state, NOW + 10 * MINUTE).times).toEqual([
      ...Array<number>(4).fill(10 * MINUTE),
      10 * MINUTE + 15_000,
    ]);
  });

  it('gives no more in the long run, also where the period cannot be divided', () => {
    const { times } = given(ofKind('token-bucket', 7, 1_000), 7 + 7 * 60);
    expect(times.at(-1)).toBeGreaterThanOrEqual(60_000);
    expect(times.at(-1)).toBeLessThanOrEqual(60_001);
  });
});

describe('a fixed window', () => {
  it('gives its places in each window of the clock', () => {
    expect(given(ofKind('fixed-window', 3), 7).times).toEqual([0, 0, 0, 40_000, 40_000, 40_000, 100_000]);
  });

  it('goes on where it was, or with the window of now', () => {
    const { state } = given(ofKind('fixed-window', 3), 4);
    expect(given(ofKind('fixed-window', 3), 3, state).times).toEqual([40_000, 40_000, 100_000]);
    expect(given(ofKind('fixed-window', 3), 1, state, NOW + 5 * MINUTE).times).toEqual([5 * MINUTE]);
  });
});

describe('a sliding window', () => {
  it('gives a place again a period after it was used', () => {
    const first = given(ofKind('sliding-window', 3), 2);
    expect(first.times).toEqual([0, 0]);
    const second = given(ofKind('sliding-window', 3), 3, first.state, NOW + 20_000);
    expect(second.times).toEqual([20_000, 60_000, 60_000]);
    expect(given(ofKind('sliding-window', 3), 1, second.state, NOW + 20_000).times).toEqual([80_000]);
  });

  it('keeps the last places alone', () => {
    const { state } = given(ofKind('sliding-window', 3), 20);
    expect(state).toMatchObject({ runs: [{ count: 1 }, { count: 2 }] });
    const old = given(ofKind('sliding-window', 3), 1, state, NOW + 60 * MINUTE);
    expect(old.times).toEqual([60 * MINUTE]);
    expect(old.state).toMatchObject({ runs: [{ count: 1 }] });
  });

  it('has a rule that became smaller hold at once', () => {
    const { state } = given(ofKind('sliding-window', 5), 5);
    expect(given(ofKind('sliding-window', 2), 3, state).times).toEqual([60_000, 60_000, 120_000]);
  });
});

describe.each(LIMIT_KINDS)('places of kind %s', (kind) => {
  it('are the same whether asked for together or one by one, at the same time', () => {
    const rule = ofKind(kind, 5, 1_000);
    let state: PlacesState | null = null;
    const single = Array.from({ length: 40 }, () => {
      const one = given(rule, 1, state);
      state = one.state;
      return one.times[0];
    });
    expect(single).toEqual(given(rule, 40).times);
  });

  it('never lie before now, nor before one that was given out, even where a clock lags behind', () => {
    const rule = ofKind(kind, 3, 1_000);
    const { times, state } = given(rule, 5);
    const { times: later } = given(rule, 4, state, NOW - 400);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(
      kind === 'fixed-window' ? Math.max(...times) : (times.at(-1) ?? 0),
    );
  });

  it('begin anew when the kind was another', () => {
    for (const other of LIMIT_KINDS.filter((one) => one !== kind))
      expect(given(ofKind(kind, 2), 2, given(ofKind(other, 2), 9).state).times).toEqual([0, 0]);
  });

  it('are no more in any window than allowed', () => {
    const rule = ofKind(kind, 5, 1_000);
    const { times } = given(rule, 200);
    // A bucket may be full when it is asked first, and fixed windows have their edges.
    const most = kind === 'sliding-window' ? 5 : 9;
    for (const from of times)
      expect(times.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(most);
  });
});
