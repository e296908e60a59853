import { describe, expect, it } from '@jest/globals';
import { e164, isCountry } from './phone-number.js';

describe('a phone number', () => {
  it.each([
    ['+2250707123456', undefined, '+2250707123456'],
    ['+225 07 07 12 34 56', undefined, '+2250707123456'],
    [' +33 (6) 12-34-56.78 ', undefined, '+33612345678'],
    ['0707123456', 'CI', '+2250707123456'],
    ['06 12 34 56 78', 'FR', '+33612345678'],
    ['00225 0707123456', 'FR', '+2250707123456'],
    ['+33612345678', 'CI', '+33612345678'],
    ['+14155552671', undefined, '+14155552671'],
  ])('is read from %j in %j as %s', (text, country, expected) => {
    expect(e164(text, country)).toBe(expected);
    expect(e164(expected)).toBe(expected);
  });

  it.each([
    ['', undefined],
    ['+', undefined],
    ['0707123456', undefined],
    ['00225 0707123456', undefined],
    ['0707123456', 'XX'],
    ['0612345678', 'CI'],
    ['+225070712345', undefined],
    ['+22507071234567', undefined],
    ['+999123456789', undefined],
    ['+33612345678 ext. 5', undefined],
    ['tel:+33612345678', undefined],
    ['call +33612345678', undefined],
    ['+33612345678,+33612345679', undefined],
    ['+33612345678\n+33612345679', undefined],
    ['+٣٣٦١٢٣٤٥٦٧٨', undefined],
    ['911', 'US'],
    ['ada@example.org', 'CI'],
    ['+'.padEnd(40, '3'), undefined],
  ])('is not %j in %j', (text, country) => {
    expect(e164(text, country)).toBeNull();
  });

  it('has a country by its two letters', () => {
    expect(['CI', 'FR', 'ci', 'XX', '', 'FRA'].map(isCountry)).toEqual([true, true, false, false, false, false]);
  });
});
