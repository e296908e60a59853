import { z } from 'zod';
import { isCountry } from '#domain/channels/phone-number';
import { ServiceName } from '#contracts/http/primitives';

/** The country, by its ISO 3166-1 code, that a service's phone numbers without `+` are of; undefined for none. */
export type CountryOf = (serviceName: string) => string | undefined;

/** Of services that name none of their own. */
const ALL = '*';

/** Reads `CI,diabetes=FR`; null where the text is not so. */
const parseCountries = (text: string): ReadonlyMap<string, string> | null => {
  const countries = new Map<string, string>();
  for (const part of text.split(',').map((piece) => piece.trim())) {
    const [country = '', service = ALL, ...more] = part.split('=').toReversed();
    if (more.length > 0 || !isCountry(country) || countries.has(service)) return null;
    if (service !== ALL && !ServiceName.safeParse(service).success) return null;
    countries.set(service, country);
  }
  return countries;
};

const countries = z.string().transform((text, context): ReadonlyMap<string, string> => {
  const parsed = parseCountries(text);
  if (parsed !== null) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be like CI,diabetes=FR: countries by their two letters, each service once',
  });
  return z.NEVER;
});

export const countrySettings = z.object({
  SMS_DEFAULT_COUNTRY: countries.default(new Map()).meta({
    description:
      'country of phone numbers without +, and those of single services, such as CI,diabetes=FR; without it only international numbers are taken',
    examples: ['CI,diabetes=FR'],
  }),
});

export const countryOf =
  ({ SMS_DEFAULT_COUNTRY: by }: z.output<typeof countrySettings>): CountryOf =>
  (serviceName) =>
    by.get(serviceName) ?? by.get(ALL);
