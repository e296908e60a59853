import { compared, type Figure, quantile, round } from './figure.js';
import { openLoop } from './load.js';
import type { BenchOptions } from './options.js';
import { type Platform, sendRequests, SERVICE, startPlatform, untilNone } from './platform.js';

const PER_SECOND = 100;
/** Of SMS: 120 times what the limit lets through. */
const OVER_PER_SECOND = 20;
const LIMIT = 'sms=fixed-window:10/60';
const WARM_UP_S = 3;
const MOST = 1.3;

/** How long pushes take from accepting to sent while SMS are far over their limit, against the same without those. */
export const isolation = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options, { dispatchers: 1 }, { CHANNEL_LIMITS: LIMIT });
  const seconds = options.seconds ?? 20;
  const limit = await platform.house.call('GET', '/api/limits');
  if (!JSON.stringify(limit.body).includes('"max":10')) throw new Error('the limit of SMS is not at work');
  await pushes(platform, WARM_UP_S);
  const withOthers: number[] = [];
  const alone: number[] = [];
  for (let round_ = 1; round_ <= options.rounds; round_ += 1) {
    alone.push(quantile(await pushes(platform, seconds), 0.99));
    const [times] = await Promise.all([pushes(platform, seconds), saturate(platform, seconds)]);
    withOthers.push(quantile(times, 0.99));
    options.say(
      `round ${round_}: p99 ${round(alone.at(-1) ?? 0)} ms alone, ${round(withOthers.at(-1) ?? 0)} ms beside`,
    );
  }
  const waiting = await platform
    .notifications()
    .countDocuments({ channel: 'sms', status: 'pending', 'waiting.reason': 'rate_limit' });
  const { value, floor, ratio } = compared(withOthers, alone);
  return {
    bench: 'isolation',
    value,
    unit: 'ms',
    floor,
    ratio,
    waiting,
    reached: ratio <= MOST && waiting > 0,
  };
};

/** A steady load of pushes; each one's time from accepting to sent, in milliseconds. */
const pushes = async (platform: Platform, seconds: number): Promise<number[]> => {
  const since = new Date();
  const request = sendRequests(platform, 'push');
  await openLoop({ url: platform.gateway, perSecond: PER_SECOND, seconds, request });
  const isPush = { channel: 'push', createdAt: { $gte: since } } as const;
  await untilNone(platform.notifications(), { ...isPush, status: 'pending' }, 50);
  const documents = await platform
    .notifications()
    .find(isPush, { projection: { createdAt: 1, sentAt: 1 } })
    .toArray();
  return (documents as unknown as { createdAt: Date; sentAt: Date }[]).map(
    ({ createdAt, sentAt }) => sentAt.getTime() - createdAt.getTime(),
  );
};

const saturate = async (platform: Platform, seconds: number): Promise<void> => {
  const request = sendRequests(platform, 'sms', SERVICE, { onLimit: 'wait' });
  await openLoop({ url: platform.gateway, perSecond: OVER_PER_SECOND, seconds, request });
};
