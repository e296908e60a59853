import { setTimeout as delay } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { type Figure, round } from './figure.js';
import { loadCount } from './load.js';
import type { BenchOptions } from './options.js';
import { type Platform, sendRequests, SERVICE, startPlatform } from './platform.js';
import { tokenPerSms } from './token-per-sms.js';

const COUNT = 2_000;
/** What one request to the provider takes, as over a network; and how many tokens it gives in a minute. */
const PROVIDER_MS = 50;
const TOKENS_PER_MINUTE = 300;
/** One in fifty requests is answered 503. */
const FAULTY = 0.02;
const TIMES = 3;
const MESSAGE = 'Time for your 8:00 dose';
const PATIENCE_MS = 300_000;

/**
 * A mass sending the old way, with a token for each SMS and the caller waiting for all of them, and through Carillon as
 * a bulk: errors of tokens, how many arrive, how long the caller waits for an answer, and how much goes through in no
 * more time. One SMS for each call, one after the other, is measured as well, but is no mass sending.
 */
export const smsToken = async (options: BenchOptions): Promise<Figure> => {
  const count = options.count ?? COUNT;
  const platform = await startPlatform(
    options,
    { dispatchers: 1 },
    { SMS_PROVIDERS: 'orange', SANDBOX_SMS_TOKENS_PER_MINUTE: String(TOKENS_PER_MINUTE), SMS_CONCURRENCY: '64' },
  );
  await platform.sandbox.setFaults('sms', [
    { kind: 'status', status: 503, share: FAULTY, latencyMs: PROVIDER_MS },
    { kind: 'latency', latencyMs: PROVIDER_MS },
    { kind: 'latency', latencyMs: PROVIDER_MS, stage: 'auth' },
  ]);

  await freshTokens();
  options.say(`${count} SMS the old way`);
  const started = performance.now();
  const old = await tokenPerSms(platform.house.sandbox.url, numbers(0, count), MESSAGE);
  const oldMs = performance.now() - started;

  await freshTokens();
  options.say(`${count} SMS as a bulk`);
  const bulk = await asBulk(platform, numbers(count, count));
  options.say(`${TIMES * count} SMS as a bulk`);
  const large = await asBulk(platform, numbers(2 * count, TIMES * count));
  options.say(`${count} SMS in a loop`);
  const looped = await inLoop(platform, count);

  const tokenErrors = bulk.tokenErrors + large.tokenErrors + looped.tokenErrors;
  // Per SMS: so many runs of `count` against one the old way.
  const tokenErrorReduction = old.tokenErrors === 0 ? 0 : 1 - tokenErrors / (2 + TIMES) / old.tokenErrors;
  const bulkSuccess = (bulk.sent + large.sent) / (count + TIMES * count);
  const perceivedTimeReduction = 1 - bulk.answeredMs / oldMs;
  const isNoSlower = large.answeredMs <= oldMs && large.untilSentMs <= oldMs;
  const volumeFactor = isNoSlower ? large.sent / large.untilSentMs / (count / oldMs) : 0;
  return {
    bench: 'sms-token',
    value: round(volumeFactor, 2),
    unit: 'times the volume',
    floor: null,
    ratio: null,
    tokenErrorReduction: round(tokenErrorReduction, 4),
    bulkSuccess: round(bulkSuccess, 4),
    perceivedTimeReduction: round(perceivedTimeReduction, 4),
    volumeFactor: round(volumeFactor, 2),
    oldTokenErrors: old.tokenErrors,
    oldSent: old.sent,
    oldMs: round(oldMs),
    answeredMs: round(bulk.answeredMs),
    untilSentMs: round(bulk.untilSentMs),
    largeUntilSentMs: round(large.untilSentMs),
    loopMs: round(looped.ms),
    reached:
      tokenErrorReduction >= 0.95 && bulkSuccess > 0.99 && perceivedTimeReduction >= 0.5 && volumeFactor >= TIMES,
  };
};

const numbers = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `+33612${String(from + index).padStart(6, '0')}`);

/** The provider counts tokens by the minute of the clock: each way begins with all of them. */
const freshTokens = (): Promise<void> => delay(60_000 - (Date.now() % 60_000) + 100);

interface Run {
  sent: number;
  tokenErrors: number;
}

const asBulk = async (
  platform: Platform,
  targets: readonly string[],
): Promise<Run & { answeredMs: number; untilSentMs: number }> => {
  const started = performance.now();
  const { status, body } = await platform.house.call('POST', '/api/notifications/bulk', {
    body: {
      serviceName: SERVICE,
      content: { channel: 'sms', body: MESSAGE },
      recipients: targets.map((to) => ({ to })),
    },
  });
  const answeredMs = performance.now() - started;
  if (status !== 202) throw new Error(`the bulk was answered ${status}: ${JSON.stringify(body)}`);
  const run = await settled(platform, { bulkId: body['id'] });
  return { ...run, answeredMs, untilSentMs: performance.now() - started };
};

/** The caller waits for each answer, and not for what is sent. */
const inLoop = async (platform: Platform, count: number): Promise<Run & { ms: number }> => {
  const since = new Date();
  const request = sendRequests(platform, 'sms');
  const { latencies } = await loadCount({ url: platform.gateway, connections: 1, count, request });
  return { ...(await settled(platform, { createdAt: { $gte: since } })), ms: sum(latencies) };
};

/** Waits until all that match have ended. @returns how many were sent, and how often a token was refused on the way */
const settled = async (platform: Platform, filter: mongo.Document): Promise<Run> => {
  const notifications = platform.notifications();
  const end = performance.now() + PATIENCE_MS;
  while ((await notifications.countDocuments({ ...filter, status: 'pending' }, { limit: 1 })) > 0) {
    if (performance.now() > end) throw new Error('SMS are still pending');
    await delay(100);
  }
  const [sent, tokenErrors] = await Promise.all([
    notifications.countDocuments({ ...filter, status: 'sent' }),
    // The faults answer 503 alone: what was refused otherwise was a token.
    notifications.countDocuments({
      ...filter,
      'deliveries.attempts.outcome': { $in: ['credentials', 'rate_limited'] },
    }),
  ]);
  return { sent, tokenErrors };
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
