import { describe, expect, it } from '@jest/globals';
import { retryAfterMs } from './retry-after.js';

const now = new Date('2026-11-21T08:00:00.000Z');

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    [['3', '9'], 3_000],
    ['Sat, 21 Nov 2026 08:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 07:00:00 GMT', 0],
    ['99999999999999999999', 86_400_000],
    ['Sat, 21 Nov 2099 08:00:00 GMT', 86_400_000],
    [undefined, null],
    ['', null],
    [[], null],
    ['-1', null],
    ['1.5', null],
    ['soon', null],
    ['Sometime', null],
    ['2026-11-21', null],
  ])('%j is %s ms', (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });
});
