import { z } from 'zod';
import { integer } from '#config/settings';
import { CHANNELS, type Channel, LIMIT_KINDS, type LimitKind } from '#contracts/vocabulary';

/** A limit that holds where nobody set another. */
export interface LimitDefault {
  kind: LimitKind;
  max: number;
  periodSeconds: number;
}

const ENTRY = new RegExp(`^(${CHANNELS.join('|')})=(${LIMIT_KINDS.join('|')}):([1-9]\\d{0,8})/([1-9]\\d{0,6})$`);
/** A sliding window keeps as many times as it has places. */
export const MAX_SLIDING = 10_000;

const parse = (text: string): ReadonlyMap<Channel, LimitDefault> | null => {
  const limits = new Map<Channel, LimitDefault>();
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === 'none' || part === '') continue;
    const [, channel, kind, max, periodSeconds] = ENTRY.exec(part) ?? [];
    if (channel === undefined || limits.has(channel as Channel)) return null;
    if (kind === 'sliding-window' && Number(max) > MAX_SLIDING) return null;
    limits.set(channel as Channel, {
      kind: kind as LimitKind,
      max: Number(max),
      periodSeconds: Number(periodSeconds),
    });
  }
  return limits;
};

/** 100 e-mails an hour, 10 SMS a minute, 50 messages to Slack an hour, for each service. */
const USUAL = 'email=token-bucket:100/3600,sms=fixed-window:10/60,slack=sliding-window:50/3600';

export const channelLimitSettings = z.object({
  CHANNEL_LIMITS: z
    .string()
    .default(USUAL)
    .transform((text, context) => {
      const limits = parse(text);
      if (limits !== null) return limits;
      context.addIssue({ code: 'custom', message: `must be none, or look like ${USUAL}` });
      return z.NEVER;
    })
    .meta({
      description:
        'how many notifications each service may send by a channel, as channel=kind:places/seconds, where /api/limits has nothing else; 100 e-mails an hour, 10 SMS a minute and 50 messages to Slack an hour unless set; the kinds are token-bucket, fixed-window and sliding-window',
    }),
  ORANGE_LIMIT_PER_SECOND: integer(0, MAX_SLIDING).default(5).meta({
    description:
      'requests to Orange in a second, over all dispatchers, where /api/limits has nothing else; 0: no limit',
  }),
});
export type ChannelLimitSettings = z.output<typeof channelLimitSettings>;
