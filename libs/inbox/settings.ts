import { z } from 'zod';
import { InvalidSettings, integer, list, parseSettings } from '#config/settings';

/** RFC 7518, section 3.2: a key for HS256 has at least as many bits as the hash. */
const MIN_SECRET = 32;

export const inboxSettings = z.object({
  INBOX_TOKEN_SECRET: list(z.string().min(MIN_SECRET, `must have at least ${MIN_SECRET} characters each`))
    .refine((secrets) => secrets.length <= 2, 'must be one secret, or two with a comma between them')
    .optional()
    .meta({
      description:
        'secret of at least 32 characters that tokens of the in-app inbox are signed with, the same for all gateways; two with a comma between them while it changes, the first signs; without it the calls of the inbox answer 501',
    }),
  INBOX_TOKEN_MAX_SECONDS: integer(60, 86_400)
    .default(3_600)
    .meta({ description: 'how long a token of the inbox is valid, at most and unless less is asked' }),
  INBOX_HEARTBEAT_SECONDS: integer(1, 300)
    .default(20)
    .meta({ description: 'seconds between the comments that keep a stream of the inbox open' }),
  INBOX_POLL_SECONDS: integer(1, 600)
    .default(15)
    .meta({ description: 'seconds between looks for what the broker did not tell to streams of the inbox' }),
  INBOX_MAX_STREAMS: integer(1, 100_000)
    .default(10_000)
    .meta({ description: 'streams of the inbox that one gateway keeps open; more are answered 503' }),
});
export type InboxSettings = z.output<typeof inboxSettings>;

/** @throws InvalidSettings; also when the inbox is set up but has no secret */
export const inboxSettingsOf = (environment: NodeJS.ProcessEnv): InboxSettings => {
  const settings = parseSettings(inboxSettings, environment);
  if (settings.INBOX_TOKEN_SECRET !== undefined && settings.INBOX_TOKEN_SECRET.length > 0) return settings;
  const used = Object.keys(inboxSettings.shape).filter((name) => (environment[name] ?? '') !== '');
  if (used.length > 0)
    throw new InvalidSettings(
      used.includes('INBOX_TOKEN_SECRET')
        ? ['INBOX_TOKEN_SECRET must hold a secret']
        : [`INBOX_TOKEN_SECRET is required with ${used.join(', ')}`],
    );
  return settings;
};
