import { z } from 'zod';
import { integer } from '#config/settings';
import { parseBotTokens, parseWebhooks } from './secrets.js';

/** A variable as `parse` reads it. The message never repeats what was set. */
const secrets = <T>(parse: (text: string) => T | null, message: string): z.ZodType<T, string> =>
  z.string().transform((text, context) => {
    const read = parse(text);
    if (read !== null) return read;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

export const SlackSettings = z.object({
  SLACK_TOKENS: secrets(parseBotTokens, 'must be like diabetes=xoxb-...;*=xoxb-..., each service once')
    .optional()
    .meta({
      description:
        'bot tokens to post with, by service: service=token;*=token, * for services without one of their own; without it and SLACK_WEBHOOKS the channel slack is not configured',
      examples: ['diabetes=xoxb-your-bot-token'],
    }),
  SLACK_WEBHOOKS: secrets(
    parseWebhooks,
    'must be like diabetes/alerts=https://hooks.slack.com/services/...;*/ops=https://..., each name once, of a-z 0-9 _ -',
  )
    .optional()
    .meta({
      description:
        'incoming webhooks by service and name: service/name=URL;*/name=URL, * for every service; a notification names one as webhook:name, the URL stays here',
      examples: ['diabetes/alerts=https://hooks.slack.com/services/T/B/secret'],
    }),
  SLACK_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('https://slack.com/api/')
    .meta({ description: "where Slack's Web API is, for test doubles and gateways" }),
  SLACK_CONNECTIONS: integer(1, 1000)
    .default(16)
    .meta({ description: 'connections to Slack that one dispatcher keeps, and messages it sends at once' }),
  SLACK_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(5_000)
    .meta({ description: 'after so long a connection attempt is given up' }),
  SLACK_TIMEOUT_MS: integer(100, 120_000)
    .default(10_000)
    .meta({ description: 'after so long one message is given up' }),
});
export type SlackSettings = z.output<typeof SlackSettings>;
