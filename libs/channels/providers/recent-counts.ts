import type { OutcomeKind } from '#contracts/vocabulary';
import type { ProviderCounts } from '#domain/providers';

const MINUTE_MS = 60_000;
/** The present minute and those before it. */
const MINUTES = 5;

/** What came of the calls of the last minutes. */
export class RecentCounts {
  private readonly minutes = new Map<number, ProviderCounts>();

  add(kind: OutcomeKind, now: number): void {
    const minute = Math.floor(now / MINUTE_MS);
    let counts = this.minutes.get(minute);
    if (counts === undefined) {
      for (const old of this.minutes.keys()) if (old <= minute - MINUTES) this.minutes.delete(old);
      this.minutes.set(minute, (counts = { sent: 0, failed: 0, uncertain: 0, rateLimited: 0 }));
    }
    counts[kind === 'sent' || kind === 'uncertain' ? kind : kind === 'rate_limited' ? 'rateLimited' : 'failed'] += 1;
  }

  total(now: number): ProviderCounts {
    const first = Math.floor(now / MINUTE_MS) - MINUTES + 1;
    const sum: ProviderCounts = { sent: 0, failed: 0, uncertain: 0, rateLimited: 0 };
    for (const [minute, counts] of this.minutes)
      if (minute >= first) for (const name of Object.keys(sum) as (keyof ProviderCounts)[]) sum[name] += counts[name];
    return sum;
  }
}
