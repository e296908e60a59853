import { setTimeout as delay } from 'node:timers/promises';
import { type Scenario, sendLimits, type Stage, WITHOUT_SECOND_LOOK } from '../stage.js';
import type { Server } from '../../bench/servers.js';
import { slowProviders, workingProviders } from './processes.js';

const killAndStart = async (stage: Stage, server: Server, downMs = 0): Promise<void> => {
  await stage.servers.kill(server);
  stage.say(`killed ${server}`);
  await delay(downMs);
  await stage.servers.start(server);
  stage.say(`${server} is back`);
};

/** In ways that no breaker opens for: one that is open would hold most back before they are tried. */
const failingProviders = async ({ sandbox }: Stage): Promise<void> => {
  await sandbox.setFaults('push', [{ kind: 'status', status: 503, share: 0.9 }]);
  await sandbox.setFaults('email', [{ kind: 'status', status: 450 }]);
  await sandbox.setFaults('webhook', [{ kind: 'status', status: 503 }]);
};

/** So many retries are to wait when the broker is killed. */
const RETRIES = 5_000;
/** Every wait between the first attempts is over after so long: all of them expire as soon as the broker is back. */
const ALL_EXPIRED_MS = 6_000;

/** Waits until so many wait for another attempt, and the time of the first ones has come. @returns how many */
const untilRetriesExpire = async ({ records }: Stage, wanted: number): Promise<number> => {
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    const { waiting, due } = await records.retries();
    if (waiting >= wanted && due > 0) return waiting;
    await delay(20);
  }
  throw new Error(`never were ${wanted} retries waiting at the same time`);
};

export const broker: Scenario = {
  what: 'kill -9 of RabbitMQ during the load, while thousands of retries expire, and when all have at once',
  apps: { gateways: 1, dispatchers: 2, schedulers: 1 },
  killsServers: true,
  count: 20_000,
  smallCount: 2_000,
  env: {},
  sabotage: {
    name: 'at-most-once',
    apps: ['notification-api', 'dispatcher', 'scheduler'],
    env: WITHOUT_SECOND_LOOK,
  },
  async play(stage) {
    await stage.load.send({
      count: Math.floor(stage.count / 2),
      seconds: stage.seconds / 2,
      disturbances: [
        {
          at: 0.5,
          act: async () => {
            stage.mayRepeat(await stage.records.sending());
            await killAndStart(stage, 'rabbitmq');
          },
        },
      ],
    });
    await failingProviders(stage);
    await stage.load.send({ count: Math.ceil(stage.count / 2), seconds: 2 });
    const waiting = await untilRetriesExpire(stage, Math.min(RETRIES, Math.floor(stage.count / 4)));
    stage.mayRepeat(await stage.records.sending());
    await stage.servers.kill('rabbitmq');
    stage.say(`killed rabbitmq while ${waiting} retries were waiting and expiring`);
    await workingProviders(stage);
    await delay(ALL_EXPIRED_MS);
    await stage.servers.start('rabbitmq');
    stage.mayRepeat(await stage.records.sending());
    await killAndStart(stage, 'rabbitmq');
  },
};

/** Waits until so many more are accepted, or the load is over. */
const untilAccepted = async ({ load, count }: Stage, more: number): Promise<void> => {
  const wanted = Math.min(count, load.accepted.size + more);
  while (load.accepted.size < wanted) await delay(20);
};

/** Longer than anybody looks for a server before giving up. */
const DATABASE_DOWN_MS = 4_000;

export const database: Scenario = {
  what: 'kill -9 of MongoDB while notifications are accepted and delivered',
  apps: { gateways: 1, dispatchers: 1, schedulers: 1 },
  killsServers: true,
  count: 20_000,
  smallCount: 1_000,
  env: sendLimits(5_000),
  sabotage: { name: 'answer-early', apps: ['notification-api'], env: WITHOUT_SECOND_LOOK },
  async play(stage) {
    await slowProviders(stage, 60, 0.02);
    await stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      disturbances: [0.3, 0.7].map((at) => ({
        at,
        act: async () => {
          // Some time after the last kill: at work again.
          await untilAccepted(stage, Math.ceil(stage.count / 20));
          await killAndStart(stage, 'mongodb', DATABASE_DOWN_MS);
          // What was claimed before and not settled still is, until its lease ends.
          stage.mayRepeat(await stage.records.sending());
        },
      })),
    });
    await workingProviders(stage);
  },
};

const DOWN_MS = 8_000;

export const brokerDown: Scenario = {
  what: 'RabbitMQ is away for a good part of the load: everything is accepted all the same',
  apps: { gateways: 1, dispatchers: 1, schedulers: 1 },
  killsServers: true,
  count: 20_000,
  smallCount: 600,
  env: {},
  sabotage: { name: 'no-outbox', apps: ['notification-api'], env: WITHOUT_SECOND_LOOK },
  play: (stage) =>
    stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      disturbances: [
        {
          at: 0.2,
          act: async () => {
            stage.mayRepeat(await stage.records.sending());
            const before = stage.load.accepted.size;
            const repeatedBefore = stage.load.repetitions;
            await stage.servers.kill('rabbitmq');
            stage.say('killed rabbitmq');
            await delay(DOWN_MS);
            const accepted = stage.load.accepted.size - before;
            stage.say(`${accepted} were accepted without it`);
            if (accepted === 0) throw new Error('nothing was accepted while the broker was away');
            if (stage.load.repetitions > repeatedBefore) throw new Error('a broker that is away must refuse nothing');
            await stage.servers.start('rabbitmq');
          },
        },
      ],
    }),
};
