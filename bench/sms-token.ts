import { setTimeout as delay } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { type Figure, quantile, round } from './figure.js';
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
 * The same SMS sent the old way, with a token for each and the caller waiting, and through Carillon: errors of tokens,
 * how many of a bulk arrive, how long the caller waits, and how much goes through at no worse latency.
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
  const numbers = Array.from({ length: count }, (_, index) => `+33612${String(index).padStart(6, '0')}`);

  await freshTokens();
  options.say(`${count} SMS the old way`);
  const started = performance.now();
  const old = await tokenPerSms(platform.house.sandbox.url, numbers, MESSAGE);
  const oldMs = performance.now() - started;

  await freshTokens();
  options.say(`${count} SMS in a loop through Carillon`);
  const looped = await throughCarillon(platform, count, 1);
  options.say(`${count} SMS as a bulk`);
  const bulk = await asBulk(platform, numbers);
  options.say(`${TIMES * count} SMS from five callers`);
  const many = await throughCarillon(platform, TIMES * count, 5);

  const tokenErrors = looped.tokenErrors + bulk.tokenErrors;
  // Per SMS: the loop and the bulk are two runs against one the old way.
  const tokenErrorReduction = old.tokenErrors === 0 ? 0 : 1 - tokenErrors / 2 / old.tokenErrors;
  const bulkSuccess = bulk.sent / count;
  const perceivedTimeReduction = 1 - sum(looped.latencies) / sum(old.latencies);
  const isNoSlower = quantile(many.latencies, 0.99) <= quantile(old.latencies, 0.99) && many.untilSentMs <= oldMs;
  const volumeFactor = isNoSlower ? (many.sent / many.untilSentMs) * (oldMs / count) : 0;
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
    oldP99: round(quantile(old.latencies, 0.99)),
    p99: round(quantile(many.latencies, 0.99)),
    reached:
      tokenErrorReduction >= 0.95 && bulkSuccess > 0.99 && perceivedTimeReduction >= 0.5 && volumeFactor >= TIMES,
  };
};

/** The provider counts tokens by the minute of the clock: each way begins with all of them. */
const freshTokens = (): Promise<void> => delay(60_000 - (Date.now() % 60_000) + 100);

interface Run {
  sent: number;
  tokenErrors: number;
  latencies: number[];
  untilSentMs: number;
}

const throughCarillon = async (platform: Platform, count: number, connections: number): Promise<Run> => {
  const since = new Date();
  const started = performance.now();
  const request = sendRequests(platform, 'sms');
  const { latencies } = await loadCount({ url: platform.gateway, connections, count, request });
  return {
    ...(await settled(platform, { createdAt: { $gte: since } })),
    latencies,
    untilSentMs: performance.now() - started,
  };
};

const asBulk = async (platform: Platform, numbers: readonly string[]): Promise<Omit<Run, 'latencies'>> => {
  const started = performance.now();
  const { status, body } = await platform.house.call('POST', '/api/notifications/bulk', {
    body: {
      serviceName: SERVICE,
      content: { channel: 'sms', body: MESSAGE },
      recipients: numbers.map((to) => ({ to })),
    },
  });
  if (status !== 202) throw new Error(`the bulk was answered ${status}: ${JSON.stringify(body)}`);
  return { ...(await settled(platform, { bulkId: body['id'] })), untilSentMs: performance.now() - started };
};

/** Waits until all that match have ended. @returns how many were sent, and how often a token was refused on the way */
const settled = async (platform: Platform, filter: mongo.Document): Promise<{ sent: number; tokenErrors: number }> => {
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
