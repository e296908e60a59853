import { measureAccept } from './accept.js';
import { compared, type Figure, latencyOf, median, round } from './figure.js';
import { loadForSeconds } from './load.js';
import { type BenchOptions, CONNECTIONS } from './options.js';
import { type Platform, sendRequests, startPlatform, untilNone } from './platform.js';

const WARM_UP_S = 2;

const untilDelivered = ({ notifications }: Platform): Promise<void> =>
  untilNone(notifications(), { status: 'pending' }, 200);

/** Accepting while a dispatcher delivers what arrives; compared with accepting alone. */
export const mixed = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options);
  const seconds = options.seconds ?? 10;
  await measureAccept(platform, 1);
  const values: number[] = [];
  const alone: number[] = [];
  const delivered: number[] = [];
  const latencies: number[] = [];
  for (let turn = 0; turn < options.rounds; turn += 1) {
    alone.push((await measureAccept(platform, seconds)).perSecond);
    const dispatcher = await platform.house.start('dispatcher', `dispatcher-${turn + 1}`);
    await untilDelivered(platform);
    const before = (await platform.sandbox.counts()).push.distinctNotifications;
    const started = performance.now();
    const measured = await loadForSeconds({
      url: platform.gateway,
      connections: CONNECTIONS,
      seconds,
      warmUpSeconds: WARM_UP_S,
      request: sendRequests(platform, 'push'),
    });
    const after = (await platform.sandbox.counts()).push.distinctNotifications;
    delivered.push(((after - before) / (performance.now() - started)) * 1000);
    values.push(measured.perSecond);
    latencies.push(...measured.latencies);
    await untilDelivered(platform);
    await dispatcher.stop();
    options.say(
      `round ${turn + 1}: ${measured.perSecond.toFixed(0)}/s while ${(delivered.at(-1) ?? 0).toFixed(0)}/s are delivered, ${(alone.at(-1) ?? 0).toFixed(0)}/s alone`,
    );
  }
  const figures = compared(values, alone);
  return {
    bench: 'mixed',
    ...figures,
    unit: 'requests/s',
    ...latencyOf(latencies),
    deliveredPerSecond: round(median(delivered)),
    reached: figures.ratio >= 0.35,
  };
};
