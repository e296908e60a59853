import type { z } from 'zod';
import type { CreateGroup, TargetsByChannel } from '#contracts/http/groups';
import type { CreateNotification } from '#contracts/http/notification';
import type { FieldError } from '#contracts/problems';
import type { Channel } from '#contracts/vocabulary';
import { ValidationFailed } from '#domain/errors';

/** What is asked of several channels, for one recipient. */
export type AskedOfChannels = Omit<CreateGroup, 'to'> & { to?: z.output<typeof TargetsByChannel> | undefined };
type Override = NonNullable<NonNullable<CreateGroup['overrides']>[Channel]>;

const problem = (field: string, code: string, message: string): FieldError => ({ in: 'body', field, code, message });

/** What concerns the channels together. */
const errorsOf = ({ channels, mode, fallbackAfterSeconds, userId, to = {}, overrides = {} }: AskedOfChannels) => {
  const errors: FieldError[] = [];
  const unknown = (map: object, field: string): FieldError[] =>
    Object.keys(map)
      .filter((name) => !channels.some((channel) => channel === name))
      .map((name) => problem(`${field}/${name}`, 'not_a_channel_of_this', 'must be one of `channels`'));
  errors.push(...unknown(to, '/to'), ...unknown(overrides, '/overrides'));
  if (mode !== 'fallback' && fallbackAfterSeconds != null)
    errors.push(problem('/fallbackAfterSeconds', 'no_fallback', 'is for mode fallback alone'));
  if (userId == null)
    for (const channel of channels)
      if (to[channel] === undefined)
        errors.push(problem(`/to/${channel}`, 'required', 'is required where there is no `userId`'));
  return errors;
};

type Texts = Record<'title' | 'body' | 'template' | 'html', unknown> &
  Pick<CreateNotification, 'title' | 'body' | 'template' | 'html'>;

/** A template, or a body, of the channel's own takes the place of all texts; a title or HTML only of its like. */
const textsOf = (channel: Channel, input: AskedOfChannels, own: Override): Texts => {
  const { title, body, template, html } = own;
  if (template !== undefined) return { title, body, template, html };
  if (body !== undefined) return { title: title ?? input.title, body, template, html };
  return {
    title: title ?? input.title,
    body: input.body,
    template: input.template,
    // What is for all is for those who can show it.
    html: html ?? (channel === 'email' ? input.html : undefined),
  };
};

const OF_THE_GROUP = ['channels', 'mode', 'fallbackAfterSeconds', 'overrides', 'to'] as const;

const forAll = (input: AskedOfChannels): Omit<AskedOfChannels, (typeof OF_THE_GROUP)[number]> => {
  const common: Partial<AskedOfChannels> = { ...input };
  for (const name of OF_THE_GROUP) delete common[name];
  return common as AskedOfChannels;
};

const forChannel = (channel: Channel, input: AskedOfChannels): CreateNotification => {
  const own = input.overrides?.[channel] ?? {};
  const texts = textsOf(channel, input, own);
  const variables =
    texts.template === undefined
      ? own.variables
      : { ...(own.template === undefined ? input.variables : undefined), ...own.variables };
  return {
    ...forAll(input),
    ...texts,
    channel,
    to: input.to?.[channel],
    locale: own.locale ?? input.locale,
    variables,
    data: { ...input.data, ...own.data },
  };
};

/**
 * One request for each channel, in their order.
 * @throws ValidationFailed
 */
export const perChannel = (input: AskedOfChannels): CreateNotification[] => {
  const errors = errorsOf(input);
  if (errors.length > 0) throw new ValidationFailed(errors);
  return input.channels.map((channel) => forChannel(channel, input));
};

/** What is wrong with the request for one channel, where it stands in the request for all; it names the channel. */
export const placedInGroup = (
  { overrides = {} }: Pick<AskedOfChannels, 'overrides'>,
  channel: Channel,
  errors: readonly FieldError[],
): FieldError[] =>
  errors.map((error) => {
    const [, first = '', ...rest] = error.field.split('/');
    const own = overrides[channel] ?? {};
    const tail = rest.map((part) => `/${part}`).join('');
    const field =
      first === 'to' ? `/to/${channel}${tail}` : first in own ? `/overrides/${channel}${error.field}` : error.field;
    return { ...error, field, message: `for ${channel} ${error.message}` };
  });
