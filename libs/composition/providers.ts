import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Invalidation } from '#contracts/messages';
import { type Alert, alertGroup } from '#domain/alert';
import type { ProviderFigures, ProviderParts } from '#domain/providers';
import { Limits } from '#limits/limits';
import { ChannelReservations, ProviderReservations } from '#limits/reservations';
import { LimitRules, LIMITS_CACHE } from '#limits/rules';
import type { ChannelLimitSettings } from '#limits/settings';
import { MongoPlaces } from '#persistence/limits/places';
import { MongoLimitStore } from '#persistence/limits/rule-store';
import { MongoProviderStore } from '#persistence/providers/provider-store';
import { Providers } from '#providers/providers';
import { PROVIDERS_CACHE, Switches } from '#providers/switches';
import type { Base } from './base.js';

/** A start does not wait longer for a database that does not answer: the defaults hold until it does, in milliseconds. */
const FIRST_READ_MS = 2_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** Limits as a process keeps to them; it has to hear of invalidations. */
export interface ComposedLimits {
  rules: LimitRules;
  keeper: MongoPlaces;
  channels: ChannelReservations;
}

export const composeLimits = async (base: Base, settings: ChannelLimitSettings): Promise<ComposedLimits> => {
  const { databases, log } = base;
  const rules = new LimitRules({
    store: new MongoLimitStore(databases),
    settings,
    services: databases.services,
    onProblem: (err) => log.warn({ err }, 'cannot read the limits: those known before hold'),
  });
  await Promise.race([rules.refresh(), pause(FIRST_READ_MS)]);
  const keeper = new MongoPlaces(databases);
  return { rules, keeper, channels: new ChannelReservations(rules, keeper) };
};

export const composeLimitActions = (base: Base, { rules }: ComposedLimits): Limits =>
  new Limits({
    store: new MongoLimitStore(base.databases),
    rules,
    invalidations: { publish: (cache, key) => base.invalidate(cache, key) },
    now: base.now,
  });

export const composeProviderActions = (base: Base): Providers =>
  new Providers({
    store: new MongoProviderStore(base.databases),
    invalidations: { publish: (cache, key) => base.invalidate(cache, key) },
    now: base.now,
  });

export const composeSwitches = async ({ databases, log }: Base): Promise<Switches> => {
  const switches = new Switches(new MongoProviderStore(databases), (err) =>
    log.warn({ err }, 'cannot read which providers are disabled: what was known before holds'),
  );
  await Promise.race([switches.refresh(), pause(FIRST_READ_MS)]);
  return switches;
};

/** What the ways to providers need, and where they are counted. */
export const providerParts = (
  base: Base,
  { rules, keeper }: ComposedLimits,
  switches: Switches,
  raise: (alert: Alert) => void,
): ProviderParts => {
  const { metrics, log } = base;
  return {
    switches,
    limits: new ProviderReservations(rules, keeper, (err) =>
      log.warn({ err }, 'cannot reserve a place at a provider: what needs one waits'),
    ),
    onCall: (channel, provider, outcome) => metrics.providerCalls.inc({ channel, provider, outcome }),
    onHealth: (channel, provider, health) => {
      metrics.providerHealth.set({ channel, provider }, HEALTH_VALUES[health]);
      if (health !== 'down') return;
      raise({
        group: `${alertGroup({ class: 'provider', serviceName: null, channel })}:${provider}`,
        class: 'provider',
        serviceName: null,
        channel,
        code: 'provider_down',
        reason: `${provider} fails, and is left alone until a probe finds it up again`,
      });
    },
    onFailover: (channel, from, to, reason) => metrics.failovers.inc({ channel, from, to, reason }),
  };
};

const HEALTH_VALUES = { up: 1, probing: 0.5, down: 0 } as const;

export const hearOfProviders = (
  { rules, switches }: { rules: LimitRules; switches?: Switches },
  { cache }: Pick<Invalidation, 'cache'>,
): void => {
  if (cache === LIMITS_CACHE) void rules.refresh();
  if (cache === PROVIDERS_CACHE) void switches?.refresh();
};

const REPORT_EVERY_MS = 5_000;

/** Tells the other processes, every five seconds, how this one sees its providers. */
export class ProviderReports {
  private readonly dispatcher = `${hostname()}-${randomUUID().slice(0, 8)}`;
  private readonly store: MongoProviderStore;
  private readonly timer: NodeJS.Timeout;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly base: Base,
    private readonly figures: () => ProviderFigures[],
  ) {
    this.store = new MongoProviderStore(base.databases);
    this.timer = setInterval(() => this.write(), REPORT_EVERY_MS);
    this.write();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
  }

  private write(): void {
    const at = this.base.now();
    const reports = this.figures().map((figures) => ({ ...figures, dispatcher: this.dispatcher, at }));
    this.writing = this.writing
      .then(() => this.store.report(reports))
      .catch((err: unknown) => this.base.log.warn({ err }, 'cannot tell how the providers are; it is told again soon'));
  }
}
