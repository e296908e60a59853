import { z } from 'zod';
import { integer, list } from '#config/settings';
import { SMS_PROVIDERS, type SmsProviderName } from './provider.js';
import { ReceiptSettings } from './receipts-settings.js';

const isProvider = (name: string): name is SmsProviderName => SMS_PROVIDERS.some((known) => known === name);

const providers = list()
  .refine(
    (names) => names.length > 0 && names.every(isProvider) && new Set(names).size === names.length,
    `must be of ${SMS_PROVIDERS.join(', ')}, each once, separated by commas`,
  )
  .transform((names) => names.filter(isProvider));

const endpoint = (fallback: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default(fallback)
    .transform((url) => url.replace(/\/+$/, ''));

export const SmsSettings = z.object({
  SMS_PROVIDERS: providers.optional().meta({
    description:
      'who sends SMS: orange, twilio, in the order in which they are asked; without it the channel sms is not configured',
    examples: ['orange,twilio'],
  }),
  SMS_CONCURRENCY: integer(1, 2000).default(32).meta({ description: 'SMS that one dispatcher sends at once' }),
  SMS_CONNECTIONS: integer(1, 1000)
    .default(32)
    .meta({ description: 'connections that one dispatcher keeps to one provider of SMS' }),
  SMS_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(5_000)
    .meta({ description: 'after so long a connection attempt to a provider of SMS is given up' }),
  SMS_TIMEOUT_MS: integer(100, 120_000)
    .default(15_000)
    .meta({ description: 'after so long one SMS is given up, over all providers that are asked' }),
  ORANGE_BASE_URL: endpoint('https://api.orange.com').meta({
    description: "where Orange's API is, for test doubles and gateways",
  }),
  ORANGE_CLIENT_ID: z.string().optional().meta({ description: 'client id of the application at Orange' }),
  ORANGE_CLIENT_SECRET: z.string().optional().meta({ description: 'its secret' }),
  ORANGE_SENDER_ADDRESS: z
    .string()
    .regex(/^\+[1-9][0-9]{3,14}$/, 'must be a number in international form, such as +2250000')
    .optional()
    .meta({ description: 'number that the contract with Orange names as the sender', examples: ['+2250000'] }),
  ORANGE_SENDER_NAME: z
    .string()
    .regex(/^[A-Za-z0-9 _-]{1,11}$/, 'must be 1 to 11 of the characters A-Z a-z 0-9 _ - and space')
    .optional()
    .meta({ description: 'what phones show as the sender, as agreed with Orange' }),
  TWILIO_BASE_URL: endpoint('https://api.twilio.com').meta({
    description: "where Twilio's API is, for test doubles and gateways",
  }),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, 'must be AC and 32 hex digits')
    .optional()
    .meta({ description: 'account at Twilio' }),
  TWILIO_FROM: z
    .string()
    .regex(/^(\+[1-9][0-9]{3,14}|[A-Za-z0-9 ]{1,11})$/, 'must be a number in international form, or a sender name')
    .optional()
    .meta({ description: 'number, or name, that Twilio sends from', examples: ['+15005550006'] }),
  ...ReceiptSettings.shape,
});
export type SmsSettings = z.output<typeof SmsSettings>;
