import { z } from 'zod';

export const TemplateName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 of the characters a-z 0-9 . _ -')
  .meta({ examples: ['dose-reminder'] });

/** The locale of a template that any other falls back to. */
export const DEFAULT_LOCALE = 'default';
const isLocale = (value: string): boolean => {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
};
/** A language tag (BCP 47), in any case. */
export const Locale = z
  .string()
  .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/, 'must be a language tag such as fr-CI')
  .max(35)
  .refine(isLocale, 'must be a language tag such as fr-CI')
  .meta({ examples: ['fr-CI'] });
export const TemplateLocale = z.union([z.literal(DEFAULT_LOCALE), Locale]).default(DEFAULT_LOCALE);
export const Version = z.int().min(1).max(1_000_000);

/** Which template a notification is made from. */
export const TemplateUse = z
  .strictObject({
    name: TemplateName,
    version: Version.optional().meta({ description: 'A published version; left out, the live one.' }),
  })
  .meta({ id: 'TemplateUse', examples: [{ name: 'dose-reminder' }] });
export type TemplateUse = z.output<typeof TemplateUse>;
