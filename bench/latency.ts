import type { mongo } from 'mongoose';
import { type Figure, latencyOf, quantile, round } from './figure.js';
import { openLoop } from './load.js';
import type { BenchOptions } from './options.js';
import { sendRequests, startPlatform, untilNone } from './platform.js';

const PER_SECOND = 200;
const WARM_UP_S = 3;

/** From accepting to sent, and to the provider's own reception, at a steady 200 a second that waits for nobody. */
export const latency = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options, { dispatchers: 1 });
  const seconds = options.seconds ?? 30;
  const run = (length: number): ReturnType<typeof openLoop> =>
    openLoop({
      url: platform.gateway,
      perSecond: PER_SECOND,
      seconds: length,
      request: sendRequests(platform, 'push'),
    });
  await run(WARM_UP_S);
  await untilNone(platform.notifications(), { status: 'pending' }, 50);
  const since = new Date();
  options.say(`${PER_SECOND}/s for ${seconds} s`);
  const { latencies: answers } = await run(seconds);
  await untilNone(platform.notifications(), { status: 'pending' }, 50);

  const documents = await platform
    .notifications()
    .find({ createdAt: { $gte: since } }, { projection: { createdAt: 1, sentAt: 1 } })
    .toArray();
  // The sandbox keeps the newest thousand in full.
  const received = await platform.sandbox.receptions('push');
  const untilSent: number[] = [];
  const untilReceived: number[] = [];
  for (const { _id, createdAt, sentAt } of documents as { _id: mongo.ObjectId; createdAt: Date; sentAt?: Date }[]) {
    if (sentAt === undefined) throw new Error(`${_id.toHexString()} was not sent`);
    untilSent.push(sentAt.getTime() - createdAt.getTime());
    const at = received.get(_id.toHexString());
    if (at !== undefined) untilReceived.push(at.getTime() - createdAt.getTime());
  }
  const { p50, p99 } = latencyOf(untilSent);
  const answer = latencyOf(answers);
  const reception = latencyOf(untilReceived);
  return {
    bench: 'latency',
    value: p50,
    unit: 'ms',
    floor: null,
    ratio: null,
    p50,
    p99,
    max: round(quantile(untilSent, 1)),
    count: untilSent.length,
    receivedP50: reception.p50,
    receivedP99: reception.p99,
    answeredP50: answer.p50,
    answeredP99: answer.p99,
    reached: p50 < 25 && p99 < 150,
  };
};
