import type { LimitKind } from '#contracts/vocabulary';

/** So many places in each period. */
export interface LimitRule {
  kind: LimitKind;
  max: number;
  periodMs: number;
}

/** What was given out so far, as far as it matters; times in milliseconds since 1970. */
export type PlacesState =
  /** When the bucket is full again. May have a fraction. */
  | { kind: 'token-bucket'; fullAt: number }
  /** The last window that places were given out in. */
  | { kind: 'fixed-window'; start: number; taken: number }
  /** The last places, oldest first, as runs of the same time. */
  | { kind: 'sliding-window'; runs: { at: number; count: number }[] };

/** Gives out places one after the other, also ahead of time: never one before another that was given out earlier. */
export interface Places {
  /** When the next one is good, at or after now. */
  next(): number;
  take(): void;
  readonly state: PlacesState;
}

/** A state of another kind, left by a rule that was changed, counts for nothing. */
export const placesOf = (rule: LimitRule, state: PlacesState | null, now: number): Places => {
  switch (rule.kind) {
    case 'token-bucket':
      return new TokenBucket(rule, state?.kind === rule.kind ? state.fullAt : now, now);
    case 'fixed-window':
      return new FixedWindow(rule, state?.kind === rule.kind ? state : null, now);
    case 'sliding-window':
      return new SlidingWindow(rule, state?.kind === rule.kind ? state.runs : [], now);
  }
};

/** Generic cell rate algorithm: `max` at once, then one each `periodMs / max`. ITU-T I.371. */
class TokenBucket implements Places {
  private readonly everyMs: number;

  constructor(
    private readonly rule: LimitRule,
    private fullAt: number,
    private readonly now: number,
  ) {
    this.everyMs = rule.periodMs / rule.max;
  }

  get state(): PlacesState {
    return { kind: 'token-bucket', fullAt: this.fullAt };
  }

  next(): number {
    return Math.ceil(Math.max(this.now, this.fullAt - (this.rule.max - 1) * this.everyMs));
  }

  take(): void {
    this.fullAt = Math.max(this.fullAt, this.next()) + this.everyMs;
  }
}

/** Windows begin at multiples of the period since 1970: a minute is one of the clock. */
class FixedWindow implements Places {
  private start: number;
  private taken = 0;

  constructor(
    private readonly rule: LimitRule,
    before: { start: number; taken: number } | null,
    private readonly now: number,
  ) {
    this.start = windowOf(now, rule);
    if (before === null || windowOf(before.start, rule) < this.start) return;
    this.start = windowOf(before.start, rule);
    this.taken = before.taken;
  }

  get state(): PlacesState {
    return { kind: 'fixed-window', start: this.start, taken: this.taken };
  }

  next(): number {
    return this.taken < this.rule.max ? Math.max(this.now, this.start) : this.start + this.rule.periodMs;
  }

  take(): void {
    if (this.taken >= this.rule.max) {
      this.start += this.rule.periodMs;
      this.taken = 0;
    }
    this.taken += 1;
  }
}

const windowOf = (at: number, { periodMs }: LimitRule): number => Math.floor(at / periodMs) * periodMs;

/** No period of that length, wherever it begins, has more than `max`. */
class SlidingWindow implements Places {
  private readonly runs: { at: number; count: number }[];
  private total: number;

  constructor(
    private readonly rule: LimitRule,
    runs: readonly { at: number; count: number }[],
    private readonly now: number,
  ) {
    this.runs = runs.filter(({ at }) => at + rule.periodMs > now).map((run) => ({ ...run }));
    this.total = this.runs.reduce((sum, { count }) => sum + count, 0);
    this.forget();
  }

  get state(): PlacesState {
    return { kind: 'sliding-window', runs: this.runs.map((run) => ({ ...run })) };
  }

  next(): number {
    const last = this.runs.at(-1)?.at ?? 0;
    const oldest = this.total < this.rule.max ? null : (this.runs[0]?.at ?? null);
    return Math.max(this.now, last, oldest === null ? 0 : oldest + this.rule.periodMs);
  }

  take(): void {
    const at = this.next();
    const last = this.runs.at(-1);
    if (last?.at === at) last.count += 1;
    else this.runs.push({ at, count: 1 });
    this.total += 1;
    this.forget();
  }

  /** Only the last `max` decide about the next one. */
  private forget(): void {
    for (let [first] = this.runs; first !== undefined && this.total > this.rule.max; [first] = this.runs) {
      const gone = Math.min(first.count, this.total - this.rule.max);
      first.count -= gone;
      this.total -= gone;
      if (first.count === 0) this.runs.shift();
    }
  }
}
