import { z } from 'zod';
import { BULK_STATUSES, CHANNELS, MAX_BULK } from '../vocabulary.js';
import { ChannelFields, TargetsByChannel } from './groups.js';
import { ContentFields, CreateNotification, HAS_TEXT, hasText } from './notification.js';
import { Id, JsonObject, NullableTime, OutTime, Reference, ServiceName, UserId } from './primitives.js';
import { NEEDS_A_RECIPIENT, Targets } from './recipient-fields.js';
import { Locale } from './template-fields.js';

/**
 * Items are checked one by one by the door, so that one bad item refuses itself and not the bulk: here they are only
 * required to be objects.
 */
const Item = z.record(z.string(), z.unknown());

const { channels, mode, fallbackAfterSeconds, overrides } = ChannelFields;

const BulkContent = z
  .strictObject({
    ...ContentFields,
    channel: z.enum(CHANNELS).optional().meta({ description: 'push, unless this or `channels` says otherwise.' }),
    channels: channels
      .optional()
      .meta({ description: 'Instead of `channel`: one notification by each for every recipient, as in a group.' }),
    mode,
    fallbackAfterSeconds,
    overrides,
  })
  .refine((value) => value.channel === undefined || value.channels === undefined, {
    path: ['channels'],
    message: 'give one of `channel` and `channels`',
  })
  .refine((value) => value.channels !== undefined || value.overrides === undefined, {
    path: ['overrides'],
    message: 'is for `channels` alone',
  })
  .refine(
    (value) => value.fallbackAfterSeconds == null || (value.channels !== undefined && value.mode === 'fallback'),
    {
      path: ['fallbackAfterSeconds'],
      message: 'is for `channels` with mode fallback alone',
    },
  )
  .refine((value) => value.channels !== undefined || hasText(value), HAS_TEXT);
export type BulkContent = z.output<typeof BulkContent>;

export const CreateBulk = z
  .strictObject({
    serviceName: ServiceName.optional(),
    notifications: z.array(Item).min(1).max(MAX_BULK).optional(),
    content: BulkContent.optional(),
    recipients: z.array(Item).min(1).max(MAX_BULK).optional(),
  })
  .refine((value) => (value.notifications === undefined) !== (value.recipients === undefined), {
    path: ['notifications'],
    message: 'give exactly one of `notifications` and `content` with `recipients`',
  })
  .refine((value) => (value.content === undefined) === (value.recipients === undefined), {
    path: ['content'],
    message: '`content` and `recipients` go together',
  })
  .refine((value) => (value.recipients?.length ?? 0) * (value.content?.channels?.length ?? 1) <= MAX_BULK, {
    path: ['recipients'],
    message: `times \`channels\` must be at most ${MAX_BULK} notifications`,
  })
  .meta({
    id: 'CreateBulk',
    override: { oneOf: [{ required: ['notifications'] }, { required: ['content', 'recipients'] }] },
    examples: [
      {
        serviceName: 'diabetes',
        content: { channel: 'push', title: 'Clinic', body: 'Closed on Monday' },
        recipients: [{ userId: 'p-1' }, { userId: 'p-2', reference: 'r-2' }],
      },
    ],
  });
export type CreateBulk = z.output<typeof CreateBulk>;

/** One item of `notifications`: as for one notification, without what the bulk says for all. */
export const BulkNotification = CreateNotification;
/** Of each item of `recipients`. */
const RecipientFields = {
  userId: UserId.nullish(),
  data: JsonObject.optional(),
  locale: Locale.nullish(),
  variables: JsonObject.optional(),
  reference: Reference.nullish(),
};

/** One item of `recipients` where `content` has `channels`. */
export const BulkGroupRecipient = z.strictObject({ ...RecipientFields, to: TargetsByChannel.optional() });

/** One item of `recipients`; its `data` and `variables` are merged over the content's. */
export const BulkRecipient = z
  .strictObject({ ...RecipientFields, to: Targets.optional() })
  .refine((value) => value.userId != null || value.to !== undefined, {
    path: ['userId'],
    message: 'is required when `to` is left out',
  })
  .meta({ id: 'BulkRecipient', override: NEEDS_A_RECIPIENT });

export const Refusal = z
  .object({
    index: z.int(),
    reference: z.string().nullable(),
    errors: z.array(z.object({ in: z.string(), field: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'Refusal' });
export type Refusal = z.output<typeof Refusal>;

export const BulkBody = z
  .object({
    id: Id,
    serviceName: ServiceName,
    status: z.enum(BULK_STATUSES),
    createdAt: OutTime,
    completedAt: NullableTime,
    counts: z.object({
      total: z.int(),
      accepted: z.int(),
      refused: z.int(),
      notifications: z
        .int()
        .meta({ description: 'Of all accepted items; pending, sent, failed and cancelled add up to it.' }),
      pending: z.int(),
      sent: z.int(),
      failed: z.int(),
      cancelled: z.int(),
    }),
    refused: z.array(Refusal),
    refusedTruncated: z.boolean(),
  })
  .meta({ id: 'Bulk' });
export type BulkBody = z.output<typeof BulkBody>;
