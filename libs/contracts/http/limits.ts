import { z } from 'zod';
import { CHANNELS, LIMIT_KINDS, ON_LIMIT } from '../vocabulary.js';
import { NullableTime, ServiceName } from './primitives.js';

/** A sliding window keeps as many times as it has places. */
const MAX_SLIDING = 10_000;

const Fields = {
  kind: z.enum(LIMIT_KINDS).meta({
    description:
      'token-bucket: all places at once, then they come back steadily; fixed-window: in each period of the clock; sliding-window: in any period.',
  }),
  max: z.int().min(1).max(1_000_000_000).nullable().meta({ description: 'Places in a period; null for no limit.' }),
  periodSeconds: z.int().min(1).max(2_678_400),
};
const onLimit = z.enum(ON_LIMIT).nullable().meta({
  description:
    'What becomes of what is over, where the request says nothing: refused, or sent later. Null: by HTTP refused, otherwise later. Of providers: always later.',
});

export const PutLimit = z
  .strictObject({ ...Fields, onLimit: onLimit.optional() })
  .refine(({ kind, max }) => kind !== 'sliding-window' || max === null || max <= MAX_SLIDING, {
    path: ['max'],
    message: `must be at most ${MAX_SLIDING} for a sliding window`,
  })
  .meta({ id: 'PutLimit', examples: [{ kind: 'token-bucket', max: 1000, periodSeconds: 3600, onLimit: 'wait' }] });
export type PutLimit = z.output<typeof PutLimit>;

export const LimitBody = z
  .object({
    serviceName: z.string().nullable().meta({ description: 'Null for the limit of a provider.' }),
    channel: z.enum(CHANNELS),
    provider: z.string().nullable().meta({ description: 'Null for the limit of a service and channel.' }),
    ...Fields,
    onLimit,
    isDefault: z.boolean().meta({ description: 'Nobody set it: the settings say so.' }),
    updatedAt: NullableTime,
    updatedBy: z.string().nullable(),
  })
  .meta({ id: 'Limit' });
export type LimitBody = z.output<typeof LimitBody>;

export const LimitList = z.object({ data: z.array(LimitBody) }).meta({ id: 'LimitList' });

export const ChannelLimitPath = z.strictObject({ serviceName: ServiceName, channel: z.enum(CHANNELS) });
