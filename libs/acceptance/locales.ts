import { Locale } from '#contracts/http/template-fields';
import type { CreateNotification } from '#contracts/http/notification';
import type { RecipientLookup } from './ports.js';

/** Whether the recipient's own locale is to choose that of the template. */
export const wantsLocale = ({ template, locale, userId }: CreateNotification): boolean =>
  template !== undefined && locale == null && userId != null;

/**
 * The requests with the locales of their recipients, where a template is used and none is named. What is no language tag
 * in a profile counts as none.
 * @param inputs of one service
 * @throws Unavailable
 */
export const withLocales = async (
  recipients: Pick<RecipientLookup, 'localesOf'>,
  serviceName: string,
  inputs: readonly CreateNotification[],
): Promise<CreateNotification[]> => {
  const userIds = inputs.flatMap((input) => (wantsLocale(input) ? (input.userId ?? []) : []));
  if (userIds.length === 0) return [...inputs];
  const locales = await recipients.localesOf(serviceName, userIds);
  return inputs.map((input) => {
    const own = wantsLocale(input) ? locales.get(input.userId ?? '') : undefined;
    return own !== undefined && Locale.safeParse(own).success ? { ...input, locale: own } : input;
  });
};
