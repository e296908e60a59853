import { z } from 'zod';
import { flag, integer, list } from '#config/settings';

/** What `apps/sandbox` reads from the environment. */
export const sandboxSettings = z.object({
  SANDBOX_HOST: z.string().default('127.0.0.1').describe('address the sandbox listens on'),
  SANDBOX_PORT: integer(0, 65_535)
    .default(8020)
    .describe('HTTP port of FCM, Orange, Twilio, Slack, webhook, JSON API and page; 0 = any free one'),
  SANDBOX_SMTP_PORT: integer(0, 65_535).default(8025).describe('SMTP port; 0 = any free one'),
  SANDBOX_SMTP_USER: z.string().default('carillon').describe('user name that AUTH accepts'),
  SANDBOX_SMTP_PASSWORD: z.string().default('carillon').describe('password that AUTH accepts'),
  SANDBOX_SMTP_REQUIRE_AUTH: flag().default(false).describe('refuse mail from clients that did not log in'),
  SANDBOX_WEBHOOK_SECRETS: list(
    z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/, 'must be whsec_ and base64, comma-separated'),
  )
    .default([])
    .describe('Standard Webhooks secrets to check signatures with; none = not checked'),
  SANDBOX_SMS_TOKEN_LIFE_S: integer(1, 86_400).default(3_600).describe('seconds for which a token of Orange is good'),
  SANDBOX_SMS_TOKENS_PER_MINUTE: integer(0, 1_000_000)
    .default(0)
    .describe('requests for a token that Orange takes in a minute; what is above is refused; 0 = any number'),
  SANDBOX_SMS_RECEIPTS: z
    .enum(['none', 'delivered', 'failed'])
    .default('none')
    .describe('what the receipts of each SMS say: none, delivered, failed'),
  SANDBOX_ORANGE_RECEIPTS_URL: z.url().optional().describe('where Orange sends receipts, token included'),
  SANDBOX_TWILIO_AUTH_TOKEN: z.string().default('sandbox').describe('what Twilio signs receipts with'),
  SANDBOX_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .transform((url) => new URL(url).origin)
    .default('http://127.0.0.1:8009')
    .describe('gateway that the page at /inbox reads from'),
  SANDBOX_API_KEY: z.string().optional().describe('key with the scope inbox:tokens, for the page at /inbox'),
  SANDBOX_KEEP: integer(1, 1_000_000)
    .default(5_000)
    .describe('newest messages per channel whose text is kept; counts are exact for all'),
});

export type SandboxSettings = z.output<typeof sandboxSettings>;
