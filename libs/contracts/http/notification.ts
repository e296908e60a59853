import { z } from 'zod';
import {
  CHANNELS,
  DELIVERY_STATUSES,
  ERROR_CLASSES,
  GROUP_MODES,
  GUARDS,
  ON_LIMIT,
  OUTCOMES,
  PRIORITIES,
  SMS_ENCODINGS,
  STATES,
  STATUSES,
  TYPES,
  WAITING_REASONS,
} from '../vocabulary.js';
import {
  Id,
  JsonObject,
  Note,
  NullableTime,
  OutTime,
  Reference,
  ServiceName,
  TenantId,
  Time,
  UserId,
} from './primitives.js';
import { NEEDS_A_RECIPIENT, Targets } from './recipient-fields.js';
import { Locale, TemplateUse } from './template-fields.js';

/** Texts of its own, or those of a template. Judged even where other fields are wrong. */
export const HAS_TEXT = {
  path: ['body'],
  message: 'is required',
  params: { code: 'required' },
  when: ({ value }: { value: unknown }): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
};
/** As JSON Schema says it. */
export const NEEDS_A_TEXT = { oneOf: [{ required: ['body'] }, { required: ['template'] }] };
export const hasText = (value: { body?: unknown; template?: unknown }): boolean =>
  value.body !== undefined || value.template !== undefined;

/** What is said; shared by one notification and by `content` of a bulk. */
export const ContentFields = {
  channel: z.enum(CHANNELS).default('push'),
  type: z.enum(TYPES).default('info'),
  title: z
    .string()
    .min(1)
    .max(255)
    .nullish()
    .meta({ description: 'Title of a push, subject of an e-mail, header in Slack; not part of an SMS.' }),
  body: z
    .string()
    .min(1, 'must not be empty')
    .max(100_000)
    .optional()
    .meta({ description: 'Required, unless `template` is given.' }),
  template: TemplateUse.optional().meta({ description: 'Instead of `title`, `body` and `html`.' }),
  locale: Locale.nullish().meta({ description: 'Of the template: fr-CI falls back to fr, then to the default.' }),
  variables: JsonObject.optional().meta({ description: 'Of the template, as its JSON Schema says.' }),
  html: z.string().min(1).max(500_000).nullish().meta({ description: 'E-mail only: the HTML part beside the text.' }),
  data: JsonObject.default({}).meta({
    description:
      'Handed to the receiver, but for SMS. Push turns values into strings; Slack shows `fields`, up to 10 of {title, value}, and `link`, {url, text}.',
  }),
  priority: z.enum(PRIORITIES).optional().meta({ description: 'normal, or high for an alert, unless said otherwise.' }),
  sendAt: Time.nullish().meta({ description: 'Not before this time; at most 60 days ahead.' }),
  expiresAt: Time.nullish().meta({ description: 'Not sent after this time.' }),
  draft: z.boolean().default(false).meta({ description: 'Waits for approval.' }),
  atMostOnce: z.boolean().default(false).meta({
    description: 'After a crash or an answer that never came, do not send again but become uncertain.',
  }),
  onLimit: z.enum(ON_LIMIT).optional(),
  tenantId: TenantId.nullish(),
  metadata: JsonObject.default({}).meta({ description: 'Kept and echoed, never sent.' }),
};

export const CreateNotification = z
  .strictObject({
    serviceName: ServiceName.optional().meta({ description: 'May be left out where the key has just one.' }),
    userId: UserId.nullish(),
    to: Targets.optional(),
    reference: Reference.nullish(),
    ...ContentFields,
  })
  .refine((value) => value.userId != null || value.to !== undefined, {
    path: ['userId'],
    message: 'is required when `to` is left out',
  })
  .refine(hasText, HAS_TEXT)
  .meta({
    id: 'CreateNotification',
    override: { ...NEEDS_A_RECIPIENT, ...NEEDS_A_TEXT },
    examples: [
      {
        serviceName: 'diabetes',
        userId: 'p-1042',
        channel: 'email',
        to: ['ada@example.org'],
        type: 'reminder',
        title: 'Insulin',
        body: 'Time for your 8:00 dose',
        reference: 'rx-9931',
      },
    ],
  });
export type CreateNotification = z.output<typeof CreateNotification>;
export type CreateNotificationInput = z.input<typeof CreateNotification>;

const Attempt = z.object({
  number: z.int(),
  at: OutTime,
  durationMs: z.int(),
  provider: z.string(),
  outcome: z.enum(OUTCOMES),
  code: z.string().nullable(),
  providerStatus: z.string().nullable(),
  retryAfterMs: z.int().nullable(),
  tried: z
    .array(
      z.object({
        provider: z.string(),
        outcome: z.enum(OUTCOMES),
        code: z.string().nullable(),
        providerStatus: z.string().nullable(),
      }),
    )
    .meta({ description: 'Providers that were tried before this one in the same attempt, or passed over: `held`.' }),
});

export const DeliveryBody = z
  .object({
    id: z.string(),
    target: z.string().meta({ description: 'Masked.' }),
    status: z.enum(DELIVERY_STATUSES),
    provider: z.string().nullable(),
    providerMessageId: z.string().nullable(),
    attempts: z.array(Attempt),
  })
  .meta({ id: 'Delivery' });

export const LastError = z
  .object({ code: z.string(), class: z.enum(ERROR_CLASSES), message: z.string(), at: OutTime })
  .meta({ id: 'LastError' });

const TransitionBody = z.object({
  from: z.enum(STATES).nullable(),
  to: z.enum(STATES),
  at: OutTime,
  actor: z.string(),
  reason: z.string().nullable(),
});

/** What a list shows of a notification. */
export const NotificationItem = z
  .object({
    id: Id,
    serviceName: ServiceName,
    tenantId: z.string().nullable(),
    userId: z.string().nullable(),
    reference: z.string().nullable(),
    channel: z.enum(CHANNELS),
    type: z.enum(TYPES),
    priority: z.enum(PRIORITIES),
    groupId: z.string().nullable(),
    group: z
      .object({ mode: z.enum(GROUP_MODES), position: z.int() })
      .nullable()
      .meta({ description: 'Its place, from 0, among the channels of one call.' }),
    bulkId: z.string().nullable(),
    bulkIndex: z.int().nullable(),
    title: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    status: z.enum(STATUSES),
    state: z.enum(STATES),
    final: z.boolean(),
    version: z.int(),
    waiting: z.object({ reason: z.enum(WAITING_REASONS), until: NullableTime }).nullable(),
    atMostOnce: z.boolean(),
    sendAt: NullableTime,
    expiresAt: NullableTime,
    createdAt: OutTime,
    updatedAt: OutTime,
    approvedAt: NullableTime,
    sentAt: NullableTime,
    deliveredAt: NullableTime,
    openedAt: NullableTime,
    readAt: NullableTime,
    failedAt: NullableTime,
    lastError: LastError.nullable(),
    deliveryCounts: z.object({ total: z.int(), open: z.int(), sent: z.int(), failed: z.int(), uncertain: z.int() }),
  })
  .meta({ id: 'NotificationItem' });
export type NotificationItem = z.output<typeof NotificationItem>;

export const NotificationBody = NotificationItem.extend({
  body: z.string(),
  data: z.record(z.string(), z.unknown()),
  template: z
    .object({ name: z.string(), version: z.int(), locale: z.string() })
    .nullable()
    .meta({ description: 'What its texts were made from; null where they came with the request.' }),
  sms: z
    .object({ encoding: z.enum(SMS_ENCODINGS), segments: z.int() })
    .nullable()
    .meta({ description: 'How the body travels by SMS, and how many it takes; null for other channels.' }),
  deliveries: z.array(DeliveryBody),
  history: z.array(TransitionBody),
}).meta({ id: 'Notification' });
export type NotificationBody = z.output<typeof NotificationBody>;

export const ActionNote = z.strictObject({ note: Note.nullish() }).meta({ id: 'ActionNote' });
export const RejectNotification = z
  .strictObject({ reason: Note })
  .meta({ id: 'RejectNotification', examples: [{ reason: 'Wrong dose' }] });
export const ResolveNotification = z
  .strictObject({ outcome: z.enum(['sent', 'failed', 'retry']), note: Note.nullish() })
  .meta({ id: 'ResolveNotification', examples: [{ outcome: 'sent', note: 'Seen in the provider console' }] });

/** Drafts that one call may approve. */
const MAX_APPROVED = 100;

export const ApproveNotifications = z
  .strictObject({
    ids: z
      .array(Id)
      .min(1)
      .max(MAX_APPROVED)
      .refine((ids) => new Set(ids).size === ids.length, 'must name each one once')
      .meta({ uniqueItems: true }),
    note: Note.nullish(),
  })
  .meta({
    id: 'ApproveNotifications',
    examples: [{ ids: ['66f1c0de9a1b2c3d4e5f6071', '66f1c0de9a1b2c3d4e5f6072'], note: 'Checked' }],
  });

export const ApprovedNotifications = z
  .object({
    approved: z.int(),
    refused: z.int(),
    results: z
      .array(
        z.object({
          id: Id,
          notification: NotificationItem.nullable().meta({ description: 'As it stands now; null where refused.' }),
          error: z
            .object({
              code: z.string(),
              message: z.string(),
              guard: z.enum(GUARDS).nullable(),
              errors: z.array(z.object({ field: z.string(), code: z.string(), message: z.string() })),
            })
            .nullable(),
        }),
      )
      .meta({ description: 'In the order of `ids`.' }),
  })
  .meta({ id: 'ApprovedNotifications' });
export type ApprovedNotifications = z.output<typeof ApprovedNotifications>;
