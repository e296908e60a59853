import { isDeepStrictEqual } from 'node:util';
import { OPERATIONS } from '#contracts/http/operations';
import type { CreateTemplate, TemplateBody, TemplateContent } from '#contracts/http/templates';
import { type Api, ApiProblem } from './api.js';
import { given } from './options.js';

export type Pushed = 'unchanged' | 'written' | 'published';

/** The latest versions of a kind, newest first. */
const versionsOf = async (api: Api, input: CreateTemplate): Promise<TemplateBody[]> => {
  const { name, serviceName, channel, locale } = input;
  try {
    const { data } = await api.call(OPERATIONS.getTemplate, {
      params: { name },
      query: given({ serviceName, channel, locale, limit: '100' }),
    });
    return data;
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.code === 'not_found') return [];
    throw error;
  }
};

/** The one that was published last, the same one again included. */
const liveOf = (versions: readonly TemplateBody[]): TemplateBody | null =>
  versions.reduce<TemplateBody | null>(
    (live, one) => (one.liveAt !== null && one.liveAt > (live?.liveAt ?? '') ? one : live),
    null,
  );

const saysTheSame = (kept: TemplateBody, { content, variables }: CreateTemplate): boolean => {
  const text = (name: Exclude<keyof TemplateContent, 'data'>): boolean =>
    (content[name] ?? null) === kept.content[name];
  return (
    text('title') &&
    text('body') &&
    text('mjml') &&
    text('html') &&
    isDeepStrictEqual(content.data, kept.content.data) &&
    isDeepStrictEqual(variables, kept.variables)
  );
};

/** Writes a template unless its newest version says the same, and publishes it where that is wanted. */
export const pushTemplate = async (
  api: Api,
  input: CreateTemplate,
  publish: boolean,
): Promise<{ what: Pushed; template: TemplateBody }> => {
  const versions = await versionsOf(api, input);
  const [newest] = versions;
  const same = newest !== undefined && saysTheSame(newest, input) ? newest : null;
  const template = same ?? (await api.call(OPERATIONS.createTemplate, { body: input }));
  if (!publish || liveOf(versions)?.id === template.id)
    return { what: same === null ? 'written' : 'unchanged', template };
  const { name, id } = template;
  return {
    what: 'published',
    template: await api.call(OPERATIONS.publishTemplate, { params: { name, id }, body: {} }),
  };
};
