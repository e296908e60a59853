import { z } from 'zod';
import { STATUSES, TYPES } from '../vocabulary.js';
import { Period } from './lists.js';
import { NullableTime, ServiceName, TenantId } from './primitives.js';

export const StatisticsQuery = z.strictObject({
  serviceName: ServiceName.optional(),
  tenantId: TenantId.optional(),
  ...Period,
});
export type StatisticsQuery = z.output<typeof StatisticsQuery>;

const counts = <T extends readonly string[]>(names: T): z.ZodObject<Record<T[number], z.ZodInt>> =>
  z.object(Object.fromEntries(names.map((name) => [name, z.int()])) as Record<T[number], z.ZodInt>);

export const StatisticsBody = z
  .object({
    serviceName: ServiceName.nullable().meta({ description: 'null where several services are summed.' }),
    createdFrom: NullableTime,
    createdTo: NullableTime,
    total: z.int(),
    byType: counts(TYPES),
    byStatus: counts(STATUSES),
    successRate: z
      .number()
      .nullable()
      .meta({ description: 'Per cent of sent in sent and failed; null when there is none.' }),
    meanProcessingMs: z.number().nullable().meta({ description: 'From createdAt to sentAt.' }),
  })
  .meta({ id: 'Statistics' });
export type StatisticsBody = z.output<typeof StatisticsBody>;

export const UnreadQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[0-9]{1,3}$/, 'must be a number from 1 to 100')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
});
