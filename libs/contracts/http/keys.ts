import { z } from 'zod';
import { SCOPES } from '../vocabulary.js';
import { Paging } from './lists.js';
import { Id, NullableTime, OutTime, ServiceName, Time } from './primitives.js';

export const CreateKey = z
  .strictObject({
    owner: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ -'),
    scopes: z.array(z.enum(SCOPES)).min(1),
    services: z.array(ServiceName).min(1),
    expiresAt: Time.nullish(),
  })
  .meta({ id: 'CreateKey', examples: [{ owner: 'billing', scopes: ['notifications:send'], services: ['diabetes'] }] });
export type CreateKey = z.output<typeof CreateKey>;

export const RotateKey = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .meta({ description: 'How long the old key stays valid.' }),
    expiresAt: Time.nullish(),
  })
  .meta({ id: 'RotateKey', examples: [{ graceSeconds: 3600 }] });
export type RotateKey = z.output<typeof RotateKey>;

export const KeyBody = z
  .object({
    id: Id,
    owner: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    services: z.array(ServiceName),
    createdAt: OutTime,
    expiresAt: NullableTime,
    revokedAt: NullableTime,
  })
  .meta({ id: 'Key' });
export type KeyBody = z.output<typeof KeyBody>;

export const CreatedKey = KeyBody.extend({
  key: z.string().meta({ description: 'Shown this once.' }),
}).meta({ id: 'CreatedKey' });
export type CreatedKey = z.output<typeof CreatedKey>;

export const ListKeysQuery = z.strictObject({ ...Paging });
