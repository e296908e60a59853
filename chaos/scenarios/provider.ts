import { CHANNELS } from '#contracts/vocabulary';
import type { Fault } from '../../bench/sandbox.js';
import { type Scenario, sendLimits, type Stage } from '../stage.js';

/** Each strikes its share of what the ones before it left. Less than one in four fails, so that four attempts do. */
const FAULTS: readonly Fault[] = [
  { kind: 'reset', share: 0.05 },
  { kind: 'drop', share: 0.05 },
  { kind: 'hang', share: 0.02 },
  { kind: 'hang', share: 0.02, recorded: true },
];
const REFUSAL: Record<(typeof CHANNELS)[number], number> = {
  push: 503,
  email: 451,
  sms: 503,
  webhook: 503,
  slack: 503,
  'in-app': 503,
};

const disturb = async ({ sandbox }: Stage): Promise<void> => {
  for (const channel of CHANNELS)
    await sandbox.setFaults(channel, [...FAULTS, { kind: 'status', status: REFUSAL[channel], share: 0.1 }]);
};

/** Providers that took a message and never said so: these may rightly get it again. */
const ambiguous = async ({ sandbox }: Stage): Promise<number> => {
  const faults = Object.values(await sandbox.faults()).flat();
  return faults
    .filter(({ kind, recorded }) => kind === 'drop' || (kind === 'hang' && recorded === true))
    .reduce((sum, { struck }) => sum + (struck ?? 0), 0);
};

export const provider: Scenario = {
  what: 'providers reset, drop, hang and refuse during the load',
  apps: { gateways: 1, dispatchers: 1, schedulers: 1 },
  killsServers: false,
  count: 20_000,
  smallCount: 600,
  env: sendLimits(8_000),
  sabotage: { name: 'new-ids', apps: ['dispatcher'], env: {} },
  async play(stage) {
    await disturb(stage);
    await stage.load.send({ count: stage.count, seconds: stage.seconds });
  },
  settled: async (stage) => stage.neverAnswered(await ambiguous(stage)),
};
