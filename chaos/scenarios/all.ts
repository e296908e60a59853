import type { Scenario } from '../stage.js';
import { bulk } from './bulk.js';
import { api, dispatcher, scaleDown, scheduler } from './processes.js';
import { failover } from './failover.js';
import { provider } from './provider.js';
import { rolling } from './rolling.js';
import { broker, brokerDown, database } from './servers.js';

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  api,
  bulk,
  dispatcher,
  scheduler,
  broker,
  database,
  provider,
  failover,
  'broker-down': brokerDown,
  'scale-down': scaleDown,
  rolling,
};
