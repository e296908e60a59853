import { z } from 'zod';
import { integer } from '#config/settings';
import { parseSigningKeys, type SigningKeys } from './secrets.js';

const signingKeys = z.string().transform((text, context): SigningKeys => {
  const keys = parseSigningKeys(text);
  if (keys !== null) return keys;
  context.addIssue({
    code: 'custom',
    message: 'must be like diabetes=whsec_...|whsec_...;*=whsec_..., base64 of 24 to 64 bytes each',
  });
  return z.NEVER;
});

export const WebhookSettings = z.object({
  WEBHOOK_SECRETS: signingKeys.optional().meta({
    description:
      'secrets to sign webhooks with, by service: service=secret;*=secret, * for services without one of their own; two with | between them while they change; without it the channel webhook is not configured',
    examples: ['diabetes=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw|whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  }),
  WEBHOOK_CONCURRENCY: integer(1, 2000)
    .default(128)
    .meta({ description: 'webhooks that one dispatcher sends at once' }),
  WEBHOOK_CONNECTIONS_PER_ORIGIN: integer(1, 1000)
    .default(64)
    .meta({ description: 'connections that one dispatcher keeps to one receiver' }),
  WEBHOOK_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(5_000)
    .meta({ description: 'after so long a connection attempt is given up' }),
  WEBHOOK_TIMEOUT_MS: integer(100, 120_000)
    .default(10_000)
    .meta({ description: 'after so long one webhook is given up' }),
});
export type WebhookSettings = z.output<typeof WebhookSettings>;
