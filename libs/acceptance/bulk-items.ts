import type { z } from 'zod';
import {
  type BulkContent,
  BulkGroupRecipient,
  BulkNotification,
  BulkRecipient,
  type CreateBulk,
} from '#contracts/http/bulk';
import type { CreateNotification } from '#contracts/http/notification';
import type { FieldError } from '#contracts/problems';
import { DomainError, ValidationFailed } from '#domain/errors';
import type { GroupPlan } from '#domain/groups';
import { fieldErrors } from './field-errors.js';
import { perChannel } from './per-channel.js';

/** One item of a bulk, with what it asks for. */
export interface Item {
  index: number;
  reference: string | null;
  /** `inputs`: one, or one for each channel of a group. */
  parsed: { inputs: CreateNotification[]; plan: GroupPlan | null } | { errors: FieldError[] };
}

/** Notifications that each item asks for. */
export const notificationsEach = ({ content }: CreateBulk): number => content?.channels?.length ?? 1;

export const pathOf = (input: CreateBulk, index: number): string =>
  `/${input.notifications === undefined ? 'recipients' : 'notifications'}/${index}`;

/** What went wrong with one item, placed in the bulk's body. @throws what is no refusal of the item */
export const errorsOf = (error: unknown, path: string): FieldError[] => {
  if (error instanceof ValidationFailed) return error.errors.map((one) => ({ ...one, field: `${path}${one.field}` }));
  if (error instanceof DomainError && error.code !== 'unavailable')
    return [{ in: 'body', field: path, code: error.code, message: error.message }];
  throw error;
};

const given = ({ content, notifications = [], recipients = [] }: CreateBulk): readonly Record<string, unknown>[] =>
  content === undefined ? notifications : recipients;

export const countOf = (input: CreateBulk): number => given(input).length;

/** Items of a part of the bulk: the database begins to write the first while the rest is still to be checked. */
export const itemsOf = (input: CreateBulk, serviceName: string, from: number, to: number): Item[] => {
  const { content } = input;
  return given(input)
    .slice(from, to)
    .map((item, at) => {
      const index = from + at;
      const path = pathOf(input, index);
      return {
        index,
        reference: referenceOf(item),
        parsed:
          content === undefined
            ? ofNotification(item, path, serviceName)
            : ofRecipient(content, item, path, serviceName),
      };
    });
};

const referenceOf = (item: Record<string, unknown>): string | null =>
  typeof item['reference'] === 'string' ? item['reference'].slice(0, 255) : null;

const parse = <T extends z.ZodType>(
  schema: T,
  value: unknown,
  path: string,
): { data: z.output<T> } | { errors: FieldError[] } => {
  const result = schema.safeParse(value);
  return result.success ? { data: result.data } : { errors: fieldErrors(result.error, value, path) };
};

const ofNotification = (item: unknown, path: string, serviceName: string): Item['parsed'] => {
  const parsed = parse(BulkNotification, item, path);
  if ('errors' in parsed) return parsed;
  const named = parsed.data.serviceName;
  if (named === undefined || named === serviceName) return { inputs: [{ ...parsed.data, serviceName }], plan: null };
  const message = "must be the bulk's own service, or left out";
  return { errors: [{ in: 'body', field: `${path}/serviceName`, code: 'not_of_bulk', message }] };
};

const ofRecipient = (content: BulkContent, item: unknown, path: string, serviceName: string): Item['parsed'] => {
  const { channel = 'push', channels, mode, fallbackAfterSeconds = null, overrides, ...said } = content;
  const of = <R extends z.output<typeof BulkRecipient> | z.output<typeof BulkGroupRecipient>>(recipient: R) => {
    const given = content.variables !== undefined || recipient.variables !== undefined;
    return {
      ...said,
      ...recipient,
      serviceName,
      data: { ...content.data, ...recipient.data },
      variables: given ? { ...content.variables, ...recipient.variables } : undefined,
    };
  };
  if (channels === undefined) {
    const parsed = parse(BulkRecipient, item, path);
    return 'errors' in parsed ? parsed : { inputs: [{ ...of(parsed.data), channel }], plan: null };
  }
  const parsed = parse(BulkGroupRecipient, item, path);
  if ('errors' in parsed) return parsed;
  try {
    const inputs = perChannel({ ...of(parsed.data), channels, mode, fallbackAfterSeconds, overrides });
    return { inputs, plan: { mode, fallbackAfterSeconds, skipped: [] } };
  } catch (error) {
    return { errors: errorsOf(error, path) };
  }
};
