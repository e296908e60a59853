import type { Channel, OnLimit } from '#contracts/vocabulary';
import type { LimitRule } from '#domain/places';
import { Followed } from '#following/followed';
import { type LimitRow, type LimitStore, type LimitSubject, subjectKey } from './ports.js';
import type { ChannelLimitSettings, LimitDefault } from './settings.js';

/** The cache that the processes tell each other of. */
export const LIMITS_CACHE = 'limits';

export interface Rule extends LimitRule {
  onLimit: OnLimit | null;
}

/** A limit as it is in force; null where there is none. */
export interface LimitInForce {
  subject: LimitSubject;
  /** Null for one that nobody set: the default. */
  row: LimitRow | null;
  rule: Rule | null;
}

export interface LimitRulesParts {
  store: Pick<LimitStore, 'all'>;
  settings: ChannelLimitSettings;
  services: readonly string[];
  onProblem: (error: unknown) => void;
}

const ruleOf = ({ kind, max, periodSeconds, onLimit }: LimitRow): Rule | null =>
  max === null ? null : { kind, max, periodMs: periodSeconds * 1000, onLimit };

const defaultRule = ({ kind, max, periodSeconds }: LimitDefault): Rule => ({
  kind,
  max,
  periodMs: periodSeconds * 1000,
  onLimit: null,
});

/** Every limit in force, in memory: what was set, and the defaults where nothing was. */
export class LimitRules {
  private readonly followed: Followed<ReadonlyMap<string, LimitInForce>>;
  private readonly defaults: ReadonlyMap<string, LimitInForce>;

  constructor({ store, settings, services, onProblem }: LimitRulesParts) {
    const ofChannels = services.flatMap((serviceName) =>
      [...settings.CHANNEL_LIMITS].map(([channel, limit]): LimitInForce => ({
        subject: { serviceName, channel, provider: null },
        row: null,
        rule: defaultRule(limit),
      })),
    );
    const perSecond = settings.ORANGE_LIMIT_PER_SECOND;
    const orange: LimitInForce = {
      subject: { serviceName: null, channel: 'sms', provider: 'orange' },
      row: null,
      rule: perSecond === 0 ? null : defaultRule({ kind: 'sliding-window', max: perSecond, periodSeconds: 1 }),
    };
    this.defaults = byKey([...ofChannels, orange]);
    this.followed = new Followed({
      read: async () => {
        const rows = await store.all();
        return new Map([
          ...this.defaults,
          ...byKey(rows.map((row) => ({ subject: row.subject, row, rule: ruleOf(row) }))),
        ]);
      },
      initial: this.defaults,
      onProblem,
    });
  }

  refresh(): Promise<void> {
    return this.followed.refresh();
  }

  close(): void {
    this.followed.close();
  }

  ofChannel(serviceName: string, channel: Channel): Rule | null {
    return this.followed.current.get(subjectKey({ serviceName, channel, provider: null }))?.rule ?? null;
  }

  ofProvider(channel: Channel, provider: string): Rule | null {
    return this.followed.current.get(subjectKey({ serviceName: null, channel, provider }))?.rule ?? null;
  }

  /** As this process knows them, the default of what nobody set included. */
  all(): readonly LimitInForce[] {
    return [...this.followed.current.values()];
  }

  /** What holds where nobody set anything. */
  defaultOf(subject: LimitSubject): LimitInForce {
    return this.defaults.get(subjectKey(subject)) ?? { subject, row: null, rule: null };
  }
}

const byKey = (limits: readonly LimitInForce[]): Map<string, LimitInForce> =>
  new Map(limits.map((limit) => [subjectKey(limit.subject), limit]));
