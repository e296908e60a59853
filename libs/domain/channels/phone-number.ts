import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** What people write between digits. Anything else makes it no number: the library would look for one in any text. */
const WRITTEN = /^\+?[0-9][0-9 ().\-/\u00a0\u202f]{3,31}$/;

/** Whether this is the ISO 3166-1 code (two letters) of a country whose numbers are known. */
export const isCountry = (code: string): boolean => isSupportedCountry(code);

/**
 * The number in E.164, such as +2250707123456; null if it is none, or none that is in use.
 * @param country of numbers without `+`; without it only international ones are read
 */
export const e164 = (number: string, country?: string): string | null => {
  const text = number.trim();
  if (!WRITTEN.test(text)) return null;
  const home = country !== undefined && isSupportedCountry(country) ? country : undefined;
  if (home === undefined && !text.startsWith('+')) return null;
  const parsed = parsePhoneNumberFromString(text, {
    ...(home === undefined ? {} : { defaultCountry: home }),
    extract: false,
  });
  return parsed === undefined || !parsed.isValid() ? null : parsed.number;
};
