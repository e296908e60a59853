import { z } from 'zod';
import { CHANNELS, STATES, STATUSES, TYPES } from '../vocabulary.js';
import { Id, Reference, ServiceName, TenantId, Time, UserId } from './primitives.js';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 100;

/** `limit` and `cursor` of every list. Query values arrive as strings. */
export const Paging = {
  limit: z
    .string()
    .regex(/^[0-9]{1,3}$/, `must be a number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_LIMIT))
    .default(DEFAULT_LIMIT)
    .meta({ description: `1 to ${MAX_LIMIT}, default ${DEFAULT_LIMIT}.` }),
  cursor: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .meta({ description: '`page.nextCursor` of the page before, with the same filters.' }),
};

/** A parameter that may be repeated: one value arrives as a string, several as an array. */
const repeatable = <T extends z.ZodType<unknown, string>>(one: T): z.ZodType<z.output<T>[]> =>
  z.union([one.transform((value) => [value]), z.array(one).min(1).max(20)]);

export const Period = {
  createdFrom: Time.optional().meta({ description: 'Inclusive.' }),
  createdTo: Time.optional().meta({ description: 'Exclusive.' }),
};

export const NotificationFilters = {
  ...Period,
  serviceName: ServiceName.optional(),
  userId: UserId.optional(),
  tenantId: TenantId.optional(),
  reference: Reference.optional(),
  bulkId: Id.optional(),
  groupId: Id.optional(),
  status: repeatable(z.enum(STATUSES)).optional(),
  state: repeatable(z.enum(STATES)).optional(),
  channel: repeatable(z.enum(CHANNELS)).optional(),
  type: repeatable(z.enum(TYPES)).optional(),
};

export const ListNotificationsQuery = z.strictObject({ ...NotificationFilters, ...Paging });
export type ListNotificationsQuery = z.output<typeof ListNotificationsQuery>;

export const Page = z
  .object({ limit: z.int(), hasMore: z.boolean(), nextCursor: z.string().nullable() })
  .meta({ id: 'Page' });

export const listOf = <T extends z.ZodType>(item: T): z.ZodObject<{ data: z.ZodArray<T>; page: typeof Page }> =>
  z.object({ data: z.array(item), page: Page });
