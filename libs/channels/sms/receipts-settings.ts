import { z } from 'zod';
import { list } from '#config/settings';

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform((url) => url.replace(/\/+$/, ''));

/** What the receipts of providers are known by. */
export const ReceiptSettings = z.object({
  SMS_RECEIPTS_URL: baseUrl.optional().meta({
    description:
      'where notification-api is seen from outside, as Twilio is to call it with receipts; without it none are asked for, or taken',
    examples: ['https://notify.example.org'],
  }),
  TWILIO_AUTH_TOKEN: z
    .string()
    .optional()
    .meta({ description: 'auth token of the Twilio account; what it signs receipts with, too' }),
  ORANGE_RECEIPT_TOKENS: list(z.string().regex(/^[A-Za-z0-9_-]{24,128}$/, 'must be 24 to 128 of A-Z a-z 0-9 _ -, each'))
    .default([])
    .meta({
      description:
        'secrets, separated by commas, one of which the URL that Orange was given for receipts has as its token; none: no receipts of Orange are taken',
    }),
});
export type ReceiptSettings = z.output<typeof ReceiptSettings>;
