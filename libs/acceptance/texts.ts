import type { CreateNotification } from '#contracts/http/notification';
import type { FieldError } from '#contracts/problems';
import { ValidationFailed } from '#domain/errors';
import type { TemplateRenderer } from './ports.js';

const refused = (field: string, code: string, message: string): FieldError => ({ in: 'body', field, code, message });

const conflicts = (input: CreateNotification): FieldError[] => {
  if (input.template === undefined)
    return input.variables === undefined ? [] : [refused('/variables', 'no_template', 'is for a `template` alone')];
  return (['title', 'body', 'html'] as const)
    .filter((name) => input[name] != null)
    .map((name) => refused(`/${name}`, 'from_template', 'comes from the template: leave it out'));
};

/**
 * The request with the texts of its template, if it names one, and the version and locale that were found; its own `data`
 * lies over the template's.
 * @throws ValidationFailed, Unavailable
 */
export const withTexts = async (
  templates: TemplateRenderer,
  serviceName: string,
  input: CreateNotification,
): Promise<CreateNotification> => {
  const errors = conflicts(input);
  if (errors.length > 0) throw new ValidationFailed(errors);
  const { template, channel, locale = null, variables = {} } = input;
  if (template === undefined) return input;
  const { name, version = null } = template;
  const rendered = await templates.render({ serviceName, channel, name, version, locale, variables });
  const { version: used, locale: found, ...texts } = rendered;
  return {
    ...input,
    ...texts,
    template: { name, version: used },
    locale: found,
    data: { ...rendered.data, ...input.data },
  };
};

/** Whether `withTexts` has something to do or to refuse. */
export const needsTexts = (input: CreateNotification): boolean =>
  input.template !== undefined || input.variables !== undefined;
