import { z } from 'zod';
import { CHANNELS, TEMPLATE_STATUSES } from '../vocabulary.js';
import { Paging } from './lists.js';
import { Id, JsonObject, NullableTime, OutTime, ServiceName, UserId } from './primitives.js';
import { NEEDS_A_RECIPIENT, Targets } from './recipient-fields.js';
import { DEFAULT_LOCALE, Locale, TemplateLocale, TemplateName, Version } from './template-fields.js';

const text = (maximum: number) => z.string().min(1).max(maximum);

/** Each text is a Handlebars template; so is every string in `data`. */
export const TemplateContent = z
  .strictObject({
    title: text(1_000).nullish().meta({ description: 'Title of a push, subject of an e-mail, header in Slack.' }),
    body: text(20_000).nullish().meta({
      description: 'Required, but for an e-mail with `html` or `mjml`: the text part is then made from that.',
    }),
    html: text(100_000).nullish().meta({ description: 'E-mail only; instead of `mjml`.' }),
    mjml: text(100_000).nullish().meta({ description: 'E-mail only; made into HTML when the template is written.' }),
    data: JsonObject.default({}).meta({ description: 'Slack shows `fields` and `link`.' }),
  })
  .meta({ id: 'TemplateContent' });
export type TemplateContent = z.output<typeof TemplateContent>;

const written = {
  content: TemplateContent,
  variables: JsonObject.default({ type: 'object', additionalProperties: false }).meta({
    description: 'JSON Schema of the variables, of type object; left out, there are none.',
  }),
};
const VARIABLES = { type: 'object', required: ['dose'], properties: { dose: { type: 'string' } } };

export const CreateTemplate = z
  .strictObject({
    serviceName: ServiceName.optional().meta({ description: 'May be left out where the key has just one.' }),
    name: TemplateName,
    channel: z.enum(CHANNELS),
    locale: TemplateLocale,
    ...written,
  })
  .meta({
    id: 'CreateTemplate',
    examples: [
      {
        serviceName: 'diabetes',
        name: 'dose-reminder',
        channel: 'push',
        content: { title: 'Insulin', body: 'Time for {{dose}}' },
        variables: VARIABLES,
      },
    ],
  });
export type CreateTemplate = z.output<typeof CreateTemplate>;

export const PutTemplate = z
  .strictObject({ ...written })
  .meta({ id: 'PutTemplate', examples: [{ content: { body: 'Take {{dose}}' }, variables: VARIABLES }] });
export type PutTemplate = z.output<typeof PutTemplate>;

export const TemplatePath = z.strictObject({ name: TemplateName });
export const TemplateVersionPath = z.strictObject({ name: TemplateName, id: Id });

const Filters = {
  serviceName: ServiceName.optional(),
  channel: z.enum(CHANNELS).optional(),
  locale: z.union([z.literal(DEFAULT_LOCALE), Locale]).optional(),
  status: z.enum(TEMPLATE_STATUSES).optional(),
};
export const TemplateVersionsQuery = z.strictObject({ ...Filters, ...Paging });
export const ListTemplatesQuery = z.strictObject({ ...Filters, name: TemplateName.optional(), ...Paging });
export type ListTemplatesQuery = z.output<typeof ListTemplatesQuery>;

export const TemplateItem = z
  .object({
    id: Id,
    serviceName: ServiceName,
    name: z.string(),
    channel: z.enum(CHANNELS),
    locale: z.string(),
    version: z.int(),
    status: z.enum(TEMPLATE_STATUSES),
    createdAt: OutTime,
    updatedAt: OutTime,
    publishedAt: NullableTime.meta({ description: 'The first time.' }),
    liveAt: NullableTime.meta({ description: 'The last time it was published; the latest of its kind is live.' }),
    updatedBy: z.string(),
  })
  .meta({ id: 'TemplateItem' });
export type TemplateItem = z.output<typeof TemplateItem>;

export const TemplateBody = TemplateItem.extend({
  content: z.object({
    title: z.string().nullable(),
    body: z.string().nullable(),
    html: z.string().nullable(),
    mjml: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  }),
  variables: z.record(z.string(), z.unknown()),
}).meta({ id: 'Template' });
export type TemplateBody = z.output<typeof TemplateBody>;

export const InvalidateTemplates = z
  .strictObject({
    name: TemplateName.optional(),
    tag: z
      .string()
      .regex(/^(notifications|template\.[a-z0-9][a-z0-9._-]{0,63})$/, 'must be notifications, or template. and a name')
      .optional(),
  })
  .refine((value) => value.name === undefined || value.tag === undefined, {
    path: ['tag'],
    message: 'give one of `name` and `tag`, or neither for all',
  })
  .meta({ id: 'InvalidateTemplates', examples: [{ name: 'dose-reminder' }, { tag: 'notifications' }, {}] });

const rendering = {
  serviceName: ServiceName.optional(),
  channel: z.enum(CHANNELS),
  locale: Locale.nullish(),
  version: Version.optional().meta({ description: 'May be a draft; left out, the live one.' }),
  variables: JsonObject.default({}),
};
export const PreviewTemplate = z
  .strictObject({ ...rendering })
  .meta({ id: 'PreviewTemplate', examples: [{ channel: 'push', locale: 'fr-CI', variables: { dose: '8 units' } }] });
export type PreviewTemplate = z.output<typeof PreviewTemplate>;

export const TestSendTemplate = z
  .strictObject({ ...rendering, userId: UserId.nullish(), to: Targets.optional() })
  .refine((value) => value.userId != null || value.to !== undefined, {
    path: ['userId'],
    message: 'is required when `to` is left out',
  })
  .meta({
    id: 'TestSendTemplate',
    override: NEEDS_A_RECIPIENT,
    examples: [{ channel: 'email', to: 'ada@example.org', version: 3, variables: { dose: '8 units' } }],
  });

export const Preview = z
  .object({
    name: z.string(),
    channel: z.enum(CHANNELS),
    locale: z.string().meta({ description: 'The one that was found.' }),
    version: z.int(),
    title: z.string().nullable(),
    body: z.string(),
    html: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TemplatePreview' });
export type Preview = z.output<typeof Preview>;
