import { setTimeout as delay } from 'node:timers/promises';
import type { PlatformApp } from '#testing/house';
import type { Scenario, Stage } from '../stage.js';
import { slowProviders, workingProviders } from './processes.js';

/** `preStop` of the pods in k8s/base, shortened: by then nobody sends anything new to what is going. */
const PRE_STOP_MS = 1_000;

/** As a rollout with `maxSurge: 1, maxUnavailable: 0` does it. @throws Error when the old one ended badly */
const replace = async ({ fleet, load, say }: Stage, app: PlatformApp, index: number): Promise<void> => {
  const old = await fleet.replace(app, index);
  await delay(PRE_STOP_MS);
  // On connections that clients have kept, requests go on coming to the old one: it is told while some are under way.
  await load.nextBurst();
  const code = await old.stop();
  if (code !== 0) throw new Error(`${old.name} ended with ${String(code)} when it was told to stop`);
  say(`replaced ${old.name}`);
};

/** 300 requests a second for a minute. */
const PER_SECOND = 300;

export const rolling: Scenario = {
  what: 'gateways and dispatchers are replaced one by one, behind a balancer, as a rollout does',
  apps: { gateways: 2, dispatchers: 2, schedulers: 1 },
  killsServers: false,
  balanced: true,
  perSecond: PER_SECOND,
  count: 60 * PER_SECOND,
  smallCount: 12 * PER_SECOND,
  env: {},
  sabotage: { name: 'stop-at-once', apps: ['notification-api', 'dispatcher'], env: {} },
  async play(stage) {
    await slowProviders(stage, 60, 0);
    const turns: readonly (readonly [PlatformApp, number])[] = [
      ['dispatcher', 0],
      ['notification-api', 0],
      ['dispatcher', 1],
      ['notification-api', 1],
    ];
    await stage.load.send({
      count: stage.count,
      seconds: stage.seconds,
      disturbances: turns.map(([app, index], turn) => ({
        at: 0.1 + turn * 0.2,
        act: () => replace(stage, app, index),
      })),
    });
    await workingProviders(stage);
  },
};
