import { z } from 'zod';
import { CHANNELS, PROVIDER_HEALTHS } from '../vocabulary.js';
import { Note, NullableTime, OutTime } from './primitives.js';

export const ProviderPath = z.strictObject({
  channel: z.enum(CHANNELS),
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
});

export const DisableProvider = z
  .strictObject({ reason: Note.nullish() })
  .meta({ id: 'DisableProvider', examples: [{ reason: 'Maintenance there until noon' }] });

const Counts = z
  .object({ sent: z.int(), failed: z.int(), uncertain: z.int(), rateLimited: z.int() })
  .meta({ id: 'ProviderCounts', description: 'Calls of the last five minutes, by what came of them.' });

const Seen = {
  health: z.enum(PROVIDER_HEALTHS),
  since: OutTime,
  lastError: z.object({ code: z.string(), at: OutTime }).nullable(),
  counts: Counts,
};

export const ProviderBody = z
  .object({
    channel: z.enum(CHANNELS),
    name: z.string(),
    services: z
      .array(z.object({ serviceName: z.string(), order: z.int() }))
      .meta({ description: 'Who sends by it, and as which choice; `*` stands for all services that are not named.' }),
    enabled: z.boolean(),
    disabled: z
      .object({ reason: z.string().nullable(), by: z.string(), at: OutTime })
      .nullable()
      .meta({ description: 'Who took it out of service, when and why.' }),
    health: z.enum(PROVIDER_HEALTHS).nullable().meta({
      description: 'The worst that a dispatcher sees; null where none has told of it lately.',
    }),
    since: NullableTime,
    lastError: Seen.lastError,
    counts: Counts,
    dispatchers: z.array(z.object({ id: z.string(), ...Seen, at: OutTime })),
  })
  .meta({ id: 'Provider' });
export type ProviderBody = z.output<typeof ProviderBody>;

export const ProviderList = z.object({ data: z.array(ProviderBody) }).meta({ id: 'ProviderList' });
