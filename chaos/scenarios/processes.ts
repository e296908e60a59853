import { setTimeout as delay } from 'node:timers/promises';
import { CHANNELS } from '#contracts/vocabulary';
import type { PlatformApp } from '#testing/house';
import type { Disturbance } from '../load.js';
import { type Scenario, sendLimits, type Stage, WITHOUT_SECOND_LOOK } from '../stage.js';

/**
 * Providers that take their time, so that there always is something in hand; and that now and then take nothing in and
 * never answer, so that a kill always meets something that is not sent yet.
 */
export const slowProviders = async ({ sandbox }: Stage, latencyMs: number, silentShare: number): Promise<void> => {
  for (const channel of CHANNELS)
    await sandbox.setFaults(channel, [
      { kind: 'hang', share: silentShare },
      { kind: 'latency', latencyMs },
    ]);
};

export const workingProviders = async ({ sandbox }: Stage): Promise<void> => {
  for (const channel of CHANNELS) await sandbox.setFaults(channel, []);
};

/** Kills each in turn, at these parts of the load, and starts it again. */
export const killsInTurn = (stage: Stage, app: PlatformApp, at: readonly number[]): Disturbance[] =>
  at.map((part, turn) => ({
    at: part,
    act: async () => {
      const index = turn % stage.fleet.count(app);
      await stage.fleet.kill(app, index);
      if (app === 'dispatcher') stage.mayRepeat(await stage.records.sending());
      stage.say(`killed ${app} ${index + 1}`);
      await stage.fleet.restart(app, index);
    },
  }));

export const api: Scenario = {
  what: 'kill -9 of the gateways, in turn, while they accept',
  apps: { gateways: 2, dispatchers: 1, schedulers: 1 },
  killsServers: false,
  count: 20_000,
  smallCount: 600,
  env: {},
  sabotage: { name: 'answer-early', apps: ['notification-api'], env: WITHOUT_SECOND_LOOK },
  play: (stage) =>
    stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      disturbances: killsInTurn(stage, 'notification-api', [0.2, 0.45, 0.7, 0.9]),
    }),
};

export const dispatcher: Scenario = {
  what: 'kill -9 of the dispatchers, in turn, while they deliver',
  apps: { gateways: 1, dispatchers: 2, schedulers: 1 },
  killsServers: false,
  count: 20_000,
  smallCount: 1_500,
  env: sendLimits(5_000),
  sabotage: { name: 'ack-before-settle', apps: ['dispatcher'], env: {} },
  async play(stage) {
    await slowProviders(stage, 60, 0.02);
    await stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      disturbances: killsInTurn(stage, 'dispatcher', [0.25, 0.5, 0.75]),
    });
    await workingProviders(stage);
  },
};

/** Due while the load still goes on and for a while after it, so that each scheduler has something to wake. */
const AHEAD_MS = [3_000, 18_000] as const;
/** A killed scheduler's lock ends within this time, and another one wakes what is due. */
const AT_WORK_MS = 60_000;

/** Waits until a scheduler has woken something: what is killed then is in the middle of its work. */
const untilSchedulersWork = async ({ records, say }: Stage): Promise<void> => {
  const before = await records.woken();
  const end = performance.now() + AT_WORK_MS;
  while ((await records.woken()) === before) {
    if (performance.now() > end) return say('no scheduler has anything to wake any more');
    await delay(20);
  }
};

export const scheduler: Scenario = {
  what: 'kill -9 of all schedulers while scheduled notifications fall due',
  apps: { gateways: 1, dispatchers: 1, schedulers: 2 },
  killsServers: false,
  count: 20_000,
  smallCount: 600,
  env: {},
  sabotage: { name: 'clear-first', apps: ['scheduler'], env: WITHOUT_SECOND_LOOK },
  play: (stage) =>
    stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      change: (number) => ({ sendAt: new Date(Date.now() + (AHEAD_MS[number % 2] ?? 0)).toISOString() }),
      disturbances: [0.3, 0.6, 0.9].map((at) => ({
        at,
        act: async () => {
          await untilSchedulersWork(stage);
          await stage.fleet.killAll('scheduler');
          stage.say('killed all schedulers');
          await stage.fleet.restartAll('scheduler');
        },
      })),
    }),
};

/** Nothing is killed, so nothing may come twice: not even what a lost connection has the broker hand out again. */
export const scaleDown: Scenario = {
  what: 'two of three dispatchers are told to stop while they deliver, and all connections to the broker are cut',
  apps: { gateways: 1, dispatchers: 3, schedulers: 1 },
  killsServers: false,
  count: 20_000,
  smallCount: 1_500,
  env: {},
  sabotage: { name: 'no-claim', apps: ['dispatcher'], env: {} },
  async play(stage) {
    await slowProviders(stage, 250, 0);
    const stop = (index: number) => async (): Promise<void> => {
      await stage.fleet.stop('dispatcher', index);
      stage.say(`stopped dispatcher ${index + 1}`);
    };
    const cut = async (): Promise<void> => {
      await stage.house.vhost.closeConnections();
      stage.say('cut all connections to the broker');
    };
    await stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      disturbances: [
        { at: 0.3, act: stop(0) },
        { at: 0.5, act: cut },
        { at: 0.7, act: stop(1) },
        { at: 0.9, act: cut },
      ],
    });
    await workingProviders(stage);
  },
};
