import type { Channel, OutcomeKind, ProviderHealth } from '#contracts/vocabulary';
import type { Outcome } from '#domain/outcome';
import type { ProviderFigures, ProviderParts } from '#domain/providers';
import { held } from '../outcomes.js';
import { Breaker } from './breaker.js';
import { RecentCounts } from './recent-counts.js';

export interface LineOptions {
  channel: Channel;
  name: string;
  /** Whether an outcome speaks against the provider. */
  isOutage: (outcome: Outcome) => boolean;
  /** Whose messages go this way, and as which choice: 1 for the first. `*` stands for all that are not named. */
  services: readonly { serviceName: string; order: number }[];
  halfOpenMs: number;
  parts: ProviderParts;
}

/** A disabled one is looked at again after so long, in milliseconds, by what waits for it. */
const DISABLED_LOOK_MS = 15_000;

/** The way to one provider, as this process sees it: switch, breaker and figures. */
export class ProviderLine {
  private readonly breaker: Breaker;
  private readonly counts = new RecentCounts();
  private since = new Date();
  private lastError: ProviderFigures['lastError'] = null;

  constructor(private readonly options: LineOptions) {
    const { channel, name, parts, halfOpenMs } = options;
    const tell = (health: ProviderHealth): void => parts.onHealth?.(channel, name, health);
    this.breaker = new Breaker(halfOpenMs, (health) => {
      this.since = new Date();
      tell(health);
    });
    tell('up');
  }

  get name(): string {
    return this.options.name;
  }

  /** Why it may not be asked now, and for how long at the least; null when it may. */
  get closed(): { why: 'provider_disabled' | 'provider_down'; forMs: number } | null {
    const { channel, name, parts } = this.options;
    if (parts.switches.isDisabled(channel, name)) return { why: 'provider_disabled', forMs: DISABLED_LOOK_MS };
    const forMs = this.breaker.closedForMs;
    return forMs > 0 ? { why: 'provider_down', forMs } : null;
  }

  /** What becomes of a message while it may not be asked. */
  held(): Outcome & { kind: 'held' } {
    const { why, forMs } = this.closed ?? { why: 'provider_down', forMs: 0 };
    return held(this.name, why, forMs);
  }

  /** Calls it, and takes note of what it said. Null when it may not be called: nothing was done. */
  call(call: () => Promise<Outcome[]>, lease: AbortSignal): Promise<Outcome[] | null> {
    return this.breaker.run(async () => {
      const outcomes = await call();
      for (const outcome of outcomes) this.note(outcome);
      // What the end of a lease cut off says nothing of the provider.
      const isOutage = !lease.aborted && outcomes.length > 0 && outcomes.every(this.options.isOutage);
      return { value: outcomes, isOutage };
    });
  }

  figures(): ProviderFigures {
    const { channel, name, services } = this.options;
    const { health } = this.breaker;
    return {
      channel,
      name,
      services,
      health,
      since: this.since,
      lastError: this.lastError,
      counts: this.counts.total(Date.now()),
    };
  }

  private note(outcome: Outcome): void {
    const { channel, name, parts } = this.options;
    this.counts.add(outcome.kind, Date.now());
    parts.onCall?.(channel, name, outcome.kind);
    if (FAILURES.has(outcome.kind) && outcome.kind !== 'sent') this.lastError = { code: outcome.code, at: new Date() };
  }
}

const FAILURES: ReadonlySet<OutcomeKind> = new Set([
  'transient',
  'rate_limited',
  'credentials',
  'provider_down',
  'uncertain',
]);
