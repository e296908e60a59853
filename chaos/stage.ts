import type { Servers } from '../bench/servers.js';
import type { Sandbox } from '../bench/sandbox.js';
import type { House } from '#testing/house';
import type { Fleet } from './fleet.js';
import type { Load } from './load.js';
import type { Records } from './records.js';
import type { Relay } from './relay.js';

/** What a scenario plays with. */
export interface Stage {
  count: number;
  /** Over how long the load goes on, in seconds. */
  seconds: number;
  house: House;
  fleet: Fleet;
  load: Load;
  sandbox: Sandbox;
  records: Records;
  servers: Servers;
  /** Notifications that may be delivered again: they were in hand when something was killed. */
  mayRepeat: (ids: readonly string[]) => void;
  /** Asked to arrive at most once: these may not come again, whatever happened. */
  neverTwice: (ids: readonly string[]) => void;
  /** Before the provider of `viaRelay`; null where there is none. */
  relay: Relay | null;
  /** So many deliveries may come again: a provider took them and never said so. */
  neverAnswered: (count: number) => void;
  say: (text: string) => void;
}

export interface Scenario {
  what: string;
  apps: { gateways: number; dispatchers: number; schedulers: number };
  /** Kills servers: nothing else can use them meanwhile. */
  killsServers: boolean;
  /** The load comes through a balancer that knows who is ready, and not one request may fail. */
  balanced?: boolean;
  /** Load, where it is not as much as it can be. */
  perSecond?: number;
  /** The setting of a provider's URL: its connections go through a relay, which can refuse them. */
  viaRelay?: string;
  /** Settings other than the usual ones. */
  env: Record<string, string>;
  sabotage: Sabotage;
  /** How many notifications, where nobody says. */
  count: number;
  /** The same in the small run of all scenarios. */
  smallCount: number;
  play: (stage: Stage) => Promise<void>;
  /** Once everything is settled. */
  settled?: (stage: Stage) => Promise<void>;
}

/** A switch that takes out what a scenario is there to prove: it must turn red. */
export interface Sabotage {
  /** Module of `chaos/sabotage`, loaded into these apps before they start. */
  name: string;
  apps: readonly ('notification-api' | 'dispatcher' | 'scheduler')[];
  /** The second line of defence, that would hide the damage. */
  env: Record<string, string>;
}

/** Limits of a send, so that a lease, which is twice as long and 20 s, ends soon after its dispatcher is gone. */
export const sendLimits = (ms: number): Record<string, string> => ({
  FCM_TIMEOUT_MS: String(ms),
  SMTP_TIMEOUT_MS: String(ms),
  SMS_TIMEOUT_MS: String(ms),
  WEBHOOK_TIMEOUT_MS: String(ms),
  SLACK_TIMEOUT_MS: String(ms),
});

/** Keeps the scheduler from finding lost wake-ups. */
export const WITHOUT_SECOND_LOOK: Record<string, string> = { OVERDUE_EVERY_S: '86400' };
