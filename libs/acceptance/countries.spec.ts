import { describe, expect, it } from '@jest/globals';
import { InvalidSettings, parseSettings } from '#config/settings';
import { type CountryOf, countryOf, countrySettings } from './countries.js';

const of = (text: string): CountryOf => countryOf(parseSettings(countrySettings, { SMS_DEFAULT_COUNTRY: text }));

describe('countries of phone numbers', () => {
  it('are by service, with one for the others', () => {
    const both = of('CI, diabetes=FR');
    expect([both('diabetes'), both('wellness')]).toEqual(['FR', 'CI']);
    expect([of('diabetes=FR')('wellness'), of('')('wellness')]).toEqual([undefined, undefined]);
  });

  it.each(['XX', 'ci', 'CI,FR', 'diabetes=FR,diabetes=CI', '=CI', 'CI,', 'Diabetes=FR', 'diabetes=FR=CI', 'diabetes='])(
    'cannot be read from %j',
    (text) => {
      expect(() => of(text)).toThrow(InvalidSettings);
      expect(() => of(text)).toThrow(/SMS_DEFAULT_COUNTRY must be like CI,diabetes=FR/);
    },
  );
});
