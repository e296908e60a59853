import type { StoredToken, TokenStore } from '#domain/token-store';

interface Kept {
  sealed: string;
  endsAt: number;
  lease: string | null;
  leaseUntil: number;
}

/** Several processes share one. */
export class MemoryTokenStore implements TokenStore {
  readonly kept = new Map<string, Kept>();
  private leases = 0;

  constructor(private readonly now: () => number = Date.now) {}

  take(name: string, due: { renewBeforeMs: number; leaseMs: number }): Promise<StoredToken> {
    const now = this.now();
    const kept = this.kept.get(name) ?? { sealed: '', endsAt: 0, lease: null, leaseUntil: 0 };
    this.kept.set(name, kept);
    const leftMs = Math.max(0, kept.endsAt - now);
    const isDue = leftMs <= due.renewBeforeMs && kept.leaseUntil <= now;
    if (isDue) Object.assign(kept, { lease: String((this.leases += 1)), leaseUntil: now + due.leaseMs });
    return Promise.resolve({ sealed: leftMs === 0 ? null : kept.sealed, leftMs, lease: isDue ? kept.lease : null });
  }

  put(name: string, lease: string, { sealed, lifeMs }: { sealed: string; lifeMs: number }): Promise<void> {
    this.ofLease(name, lease, { sealed, endsAt: this.now() + lifeMs });
    return Promise.resolve();
  }

  giveUp(name: string, lease: string): Promise<void> {
    this.ofLease(name, lease, {});
    return Promise.resolve();
  }

  invalidate(name: string, sealed: string): Promise<void> {
    const kept = this.kept.get(name);
    if (kept?.sealed === sealed) Object.assign(kept, { sealed: '', endsAt: 0 });
    return Promise.resolve();
  }

  private ofLease(name: string, lease: string, change: Partial<Kept>): void {
    const kept = this.kept.get(name);
    if (kept?.lease === lease) Object.assign(kept, { ...change, lease: null, leaseUntil: 0 });
  }
}
