interface Entry<T> {
  value: T;
  tags: ReadonlySet<string>;
  /** Milliseconds of `clock`. */
  until: number;
}

export interface TagCacheOptions {
  ttlMs: number;
  /** Most entries; the one used longest ago gives way. */
  capacity: number;
  /** Milliseconds of a clock that never goes back. */
  clock?: () => number;
  onLookUp?: (result: 'hit' | 'miss') => void;
}

/** What was made from the store, by key, for a while; forgotten by tag. Asked for twice at the same time, made once. */
export class TagCache<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly loading = new Map<string, Promise<T>>();
  /** Grows with each invalidation: what was being made before it is not remembered. */
  private epoch = 0;
  private readonly clock: () => number;

  constructor(private readonly options: TagCacheOptions) {
    this.clock = options.clock ?? (() => performance.now());
  }

  async get(key: string, tags: readonly string[], load: () => Promise<T>): Promise<T> {
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.until > this.clock()) {
      this.entries.delete(key);
      this.entries.set(key, entry);
      this.options.onLookUp?.('hit');
      return entry.value;
    }
    this.options.onLookUp?.('miss');
    const underWay = this.loading.get(key);
    if (underWay !== undefined) return underWay;
    const loading = this.load(key, tags, load).finally(() => {
      if (this.loading.get(key) === loading) this.loading.delete(key);
    });
    this.loading.set(key, loading);
    return loading;
  }

  /** @param tag null for all */
  forget(tag: string | null): void {
    this.epoch += 1;
    this.loading.clear();
    if (tag === null) this.entries.clear();
    else for (const [key, { tags }] of this.entries) if (tags.has(tag)) this.entries.delete(key);
  }

  private async load(key: string, tags: readonly string[], load: () => Promise<T>): Promise<T> {
    const { epoch } = this;
    const value = await load();
    if (epoch !== this.epoch) return value;
    this.entries.delete(key);
    this.entries.set(key, { value, tags: new Set(tags), until: this.clock() + this.options.ttlMs });
    const [oldest] = this.entries.keys();
    if (this.entries.size > this.options.capacity && oldest !== undefined) this.entries.delete(oldest);
    return value;
  }
}
