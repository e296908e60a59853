import { z } from 'zod';
import { CHANNELS, DEAD_LETTER_STATUSES, ERROR_CLASSES } from '../vocabulary.js';
import { Paging, Period } from './lists.js';
import { NotificationBody } from './notification.js';
import { Id, NullableTime, OutTime, ServiceName } from './primitives.js';

const DeadLetterFilters = {
  ...Period,
  serviceName: ServiceName.optional(),
  class: z.enum(ERROR_CLASSES).optional(),
  channel: z.enum(CHANNELS).optional(),
  status: z.enum(DEAD_LETTER_STATUSES).optional(),
};
export const ListDeadLettersQuery = z.strictObject({ ...DeadLetterFilters, ...Paging });
export type ListDeadLettersQuery = z.output<typeof ListDeadLettersQuery>;

export const DeadLetterItem = z
  .object({
    id: Id,
    notificationId: Id.nullable().meta({ description: 'null where a message was refused by schema.' }),
    round: z.int().nullable().meta({ description: '1 for the first attempts, one more for each retry or replay.' }),
    serviceName: ServiceName.nullable(),
    channel: z.enum(CHANNELS).nullable(),
    class: z.enum(ERROR_CLASSES),
    status: z.enum(DEAD_LETTER_STATUSES),
    code: z.string(),
    reason: z.string(),
    queue: z.string().nullable(),
    retryAt: NullableTime.meta({ description: 'When it is tried once more by itself.' }),
    createdAt: OutTime,
    updatedAt: OutTime,
    errors: z.array(z.object({ field: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'DeadLetterItem' });
export type DeadLetterItem = z.output<typeof DeadLetterItem>;

export const DeadLetterBody = DeadLetterItem.extend({
  notification: NotificationBody.nullable().meta({ description: 'With its full history.' }),
}).meta({ id: 'DeadLetter' });
export type DeadLetterBody = z.output<typeof DeadLetterBody>;

export const ReplayDeadLetters = z
  .strictObject({ ...DeadLetterFilters })
  .meta({ id: 'ReplayDeadLetters', examples: [{ serviceName: 'diabetes', class: 'provider' }] });
export type ReplayDeadLetters = z.output<typeof ReplayDeadLetters>;
export const Replayed = z.object({ matched: z.int(), replayed: z.int() }).meta({ id: 'Replayed' });
