import { z } from 'zod';
import { type Channel, CHANNELS, GROUP_MODES, GROUP_STATUSES } from '../vocabulary.js';
import { ContentFields, NotificationBody } from './notification.js';
import { Id, OutTime, Reference, ServiceName, UserId } from './primitives.js';
import { Targets } from './recipient-fields.js';

/** One call, several channels: one notification for each of them, under one `groupId`. */

const MAX_FALLBACK_SECONDS = 7 * 86_400;

const byChannel = <T extends z.ZodType>(one: T): z.ZodObject<{ [C in Channel]: z.ZodOptional<T> }, z.core.$strict> => {
  const optional = one.optional();
  return z.strictObject(
    Object.fromEntries(CHANNELS.map((channel) => [channel, optional])) as {
      [C in Channel]: z.ZodOptional<T>;
    },
  );
};

const { title, body, template, locale, variables, html } = ContentFields;
const texts = { title, body, template, locale, variables, html };

/** What one channel says otherwise; its `data` and `variables` lie over those of all. */
const Override = z.strictObject({ ...texts, data: ContentFields.data.unwrap().optional() }).meta({ id: 'Override' });

/** Which channels, and how they go together; shared by groups and by `content` of a bulk. */
export const ChannelFields = {
  channels: z
    .array(z.enum(CHANNELS))
    .min(1)
    .max(CHANNELS.length)
    .refine((given) => new Set(given).size === given.length, 'must name each channel once')
    .meta({ uniqueItems: true, description: 'With `fallback`, in the order of trying.' }),
  mode: z.enum(GROUP_MODES).default('all').meta({
    description:
      'all: by every channel. fallback: by the next channel only where the one before failed for good, or was not delivered in time.',
  }),
  fallbackAfterSeconds: z.int().min(1).max(MAX_FALLBACK_SECONDS).nullish().meta({
    description:
      'With `fallback`: seconds after which one that was not sent, or (push, sms, in-app) not reported as delivered, opened or read, gives way. Left out, only failure does, and sent is enough.',
  }),
  overrides: byChannel(Override).optional().meta({ description: 'What single channels say otherwise.' }),
};

/** Targets by channel; where a channel has none here, those that the user has registered. */
export const TargetsByChannel = byChannel(Targets);

export const CreateGroup = z
  .strictObject({
    serviceName: ServiceName.optional().meta({ description: 'May be left out where the key has just one.' }),
    userId: UserId.nullish(),
    to: TargetsByChannel.optional(),
    reference: Reference.nullish(),
    ...ChannelFields,
    ...z.strictObject(ContentFields).omit({ channel: true }).shape,
  })
  .meta({
    id: 'CreateGroup',
    examples: [
      {
        serviceName: 'diabetes',
        userId: 'p-1042',
        channels: ['push', 'email'],
        mode: 'fallback',
        fallbackAfterSeconds: 900,
        to: { push: 'fcm-registration-token', email: 'ada@example.org' },
        type: 'reminder',
        title: 'Insulin',
        body: 'Time for your 8:00 dose',
        overrides: { email: { title: 'Your insulin reminder' } },
      },
    ],
  });
export type CreateGroup = z.output<typeof CreateGroup>;

export const GroupBody = z
  .object({
    id: Id,
    serviceName: ServiceName,
    mode: z.enum(GROUP_MODES),
    fallbackAfterSeconds: z.int().nullable(),
    status: z.enum(GROUP_STATUSES).meta({
      description: 'partial: with mode all, sent by some channels only. With fallback, sent once one channel has.',
    }),
    final: z.boolean().meta({ description: 'All of its notifications are.' }),
    skipped: z
      .array(z.enum(CHANNELS))
      .meta({ description: 'With fallback: channels on which the recipient had no target.' }),
    createdAt: OutTime,
    notifications: z.array(NotificationBody).meta({ description: 'In the order of the channels.' }),
  })
  .meta({ id: 'Group' });
export type GroupBody = z.output<typeof GroupBody>;
