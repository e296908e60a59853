import { z } from 'zod';
import { created } from './operation.js';
import { OutTime, ServiceName } from './primitives.js';

/** Nothing younger is removed, whoever asks: by then every retry, receipt and idempotency key has had its time. */
export const CLEAN_UP_FLOOR_DAYS = 7;
/** By then documents are removed by the database itself. */
export const CLEAN_UP_CEILING_DAYS = 90;

export const CleanUpRequest = z
  .strictObject({
    olderThanDays: z
      .int()
      .min(CLEAN_UP_FLOOR_DAYS)
      .max(CLEAN_UP_CEILING_DAYS)
      .optional()
      .meta({
        description: `Days since they were created, ${CLEAN_UP_FLOOR_DAYS} to ${CLEAN_UP_CEILING_DAYS}; as the scheduler does it, where it is left out.`,
      }),
    serviceName: ServiceName.optional().meta({ description: 'All that the key may use, where it is left out.' }),
    dryRun: z.boolean().default(false).meta({ description: 'Count what would be removed, and remove nothing.' }),
  })
  .meta({ id: 'CleanUp', examples: [{ dryRun: true }, { olderThanDays: 60, serviceName: 'diabetes' }] });
export type CleanUpRequest = z.output<typeof CleanUpRequest>;

export const CleanedUp = z
  .object({
    dryRun: z.boolean(),
    createdBefore: OutTime,
    services: z.array(z.object({ serviceName: ServiceName, notifications: z.int() })),
    notifications: z.int().meta({ description: 'That were removed, or would be.' }),
    more: z.boolean().meta({ description: 'There was more than one call removes or counts: call again.' }),
  })
  .meta({ id: 'CleanedUp' });
export type CleanedUp = z.output<typeof CleanedUp>;

/** The part of the table of operations that is about maintenance. */
export const MAINTENANCE_OPERATIONS = {
  cleanUp: {
    tag: 'maintenance',
    method: 'POST',
    path: '/api/maintenance/cleanup',
    summary: 'Remove old notifications that are final; what still waits stays',
    scopes: ['maintenance:run'],
    body: CleanUpRequest,
    bodyOptional: true,
    answer: { status: 200, body: CleanedUp, description: 'How many of each service.' },
    problems: [...created],
  },
} as const;
