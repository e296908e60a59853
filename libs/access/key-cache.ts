import type { Caller } from '#domain/caller';
import { RateLimited, Unavailable } from '#domain/errors';
import type { ApiKey } from './ports.js';

/** A key as requests need it. */
export interface KnownKey {
  key: ApiKey;
  hash: Buffer;
  caller: Caller;
}

interface Entry {
  known: KnownKey | null;
  /** Milliseconds of `clock`. */
  until: number;
}

export interface KeyCacheOptions {
  ttlMs: number;
  /** Most ids remembered, of keys that exist and as many again of those that do not. */
  capacity: number;
  /** Look-ups of ids that turn out not to exist, in a second. */
  missesPerSecond: number;
  /** Milliseconds of a clock that never goes back. */
  clock: () => number;
}

const CACHE_DEFAULTS: Omit<KeyCacheOptions, 'ttlMs'> = {
  capacity: 10_000,
  missesPerSecond: 200,
  clock: () => performance.now(),
};

const remember = (entries: Map<string, Entry>, id: string, entry: Entry, capacity: number): void => {
  entries.delete(id);
  entries.set(id, entry);
  const [oldest] = entries.keys();
  if (entries.size > capacity && oldest !== undefined) entries.delete(oldest);
};

/**
 * Keys by id, for a few seconds. Ids that do not exist are remembered apart, so that made-up ones push out no real key,
 * and looked up at a bounded rate, so that they cannot keep the database busy.
 */
export class KeyCache {
  private readonly known = new Map<string, Entry>();
  private readonly unknown = new Map<string, Entry>();
  private readonly loading = new Map<string, Promise<KnownKey | null>>();
  private readonly options: KeyCacheOptions;
  private misses: number;
  private refilledAt: number;
  /** Grows with each invalidation: what was being read before it is not remembered. */
  private epoch = 0;

  constructor(
    private readonly load: (id: string) => Promise<KnownKey | null>,
    options: Pick<KeyCacheOptions, 'ttlMs'> & Partial<KeyCacheOptions>,
  ) {
    this.options = { ...CACHE_DEFAULTS, ...options };
    this.misses = this.options.missesPerSecond;
    this.refilledAt = this.options.clock();
  }

  /** What is remembered; undefined when it has to be asked for. */
  peek(id: string): KnownKey | null | undefined {
    const entry = this.known.get(id) ?? this.unknown.get(id);
    return entry !== undefined && entry.until > this.options.clock() ? entry.known : undefined;
  }

  /** @throws Unavailable when the store does not answer, RateLimited when too many unknown ids are asked for */
  async get(id: string): Promise<KnownKey | null> {
    const remembered = this.peek(id);
    if (remembered !== undefined) return remembered;
    const underWay = this.loading.get(id);
    if (underWay !== undefined) return underWay;
    // One that existed a moment ago is no guess.
    if (!this.known.has(id)) this.takeMiss();
    const loading = this.ask(id).finally(() => {
      if (this.loading.get(id) === loading) this.loading.delete(id);
    });
    this.loading.set(id, loading);
    return loading;
  }

  /** Forgets one id, or all. */
  forget(id: string | null): void {
    this.epoch += 1;
    if (id === null) {
      this.known.clear();
      this.unknown.clear();
      this.loading.clear();
    } else {
      this.known.delete(id);
      this.unknown.delete(id);
      this.loading.delete(id);
    }
  }

  private async ask(id: string): Promise<KnownKey | null> {
    const { epoch } = this;
    const known = await this.load(id).catch(() => {
      throw new Unavailable('the store of API keys');
    });
    if (known !== null) this.misses = Math.min(this.options.missesPerSecond, this.misses + 1);
    if (epoch !== this.epoch) return known;
    const { ttlMs, capacity, clock } = this.options;
    const entry = { known, until: clock() + ttlMs };
    const [into, from] = known === null ? [this.unknown, this.known] : [this.known, this.unknown];
    from.delete(id);
    remember(into, id, entry, capacity);
    return known;
  }

  private takeMiss(): void {
    const { missesPerSecond, clock } = this.options;
    const now = clock();
    this.misses = Math.min(missesPerSecond, this.misses + ((now - this.refilledAt) / 1000) * missesPerSecond);
    this.refilledAt = now;
    if (this.misses < 1) throw new RateLimited('key', 1);
    this.misses -= 1;
  }
}
