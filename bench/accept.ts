import { mongo } from 'mongoose';
import { compared, type Figure, latencyOf } from './figure.js';
import { startFloor } from './floor.js';
import { loadForSeconds, type Measured } from './load.js';
import { type BenchOptions, CONNECTIONS } from './options.js';
import { type Platform, sendRequests, SERVICE, startPlatform, untilPublished } from './platform.js';

const WARM_UP_S = 2;

/** The gateway alone, without anybody who delivers: so many durable 202s per second. */
export const measureAccept = async (platform: Platform, seconds: number, service = SERVICE): Promise<Measured> => {
  const measured = await loadForSeconds({
    url: platform.gateway,
    connections: CONNECTIONS,
    seconds,
    warmUpSeconds: WARM_UP_S,
    request: sendRequests(platform, 'push', service),
  });
  await untilPublished(platform, service);
  return measured;
};

/** One document as it was really written, for the floors to write the same. */
export const acceptedSample = async (platform: Platform, ofBulk = false): Promise<string> => {
  const found = await platform.notifications().findOne({ bulkId: { $exists: ofBulk } });
  if (found === null) throw new Error('nothing was accepted');
  return mongo.BSON.EJSON.stringify(found, { relaxed: false });
};

export const accept = async (options: BenchOptions): Promise<Figure> => {
  const platform = await startPlatform(options);
  const seconds = options.seconds ?? 10;
  await measureAccept(platform, 1);
  const floor = startFloor('accept', { ...platform.floorEnv, FLOOR_SAMPLE: await acceptedSample(platform) });
  options.cleanUps.add('the floor', () => floor.stop());
  const { port } = await floor.next<{ port: number }>();

  const values: number[] = [];
  const floors: number[] = [];
  const latencies: number[] = [];
  const floorLatencies: number[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const measured = await measureAccept(platform, seconds);
    values.push(measured.perSecond);
    latencies.push(...measured.latencies);
    const bare = await loadForSeconds({
      url: new URL(`http://127.0.0.1:${port}`),
      connections: CONNECTIONS,
      seconds,
      warmUpSeconds: WARM_UP_S,
      request: sendRequests(platform, 'push'),
    });
    floors.push(bare.perSecond);
    floorLatencies.push(...bare.latencies);
    options.say(`round ${round + 1}: ${measured.perSecond.toFixed(0)}/s, floor ${bare.perSecond.toFixed(0)}/s`);
  }
  const figures = compared(values, floors);
  const { p50, p99 } = latencyOf(latencies);
  return {
    bench: 'accept',
    ...figures,
    unit: 'requests/s',
    p50,
    p99,
    floorP99: latencyOf(floorLatencies).p99,
    reached: figures.ratio >= 0.4 && p99 < 50,
  };
};
