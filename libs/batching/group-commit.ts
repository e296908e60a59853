export interface GroupCommitOptions {
  /** Items in one flush, at the most. */
  maxBatch: number;
  /** Flushes under way at once; while all are, new items gather for the next. */
  maxInFlight: number;
  /**
   * Milliseconds that a batch waits, at the most, until it is as large as the one before: callers that were answered
   * together come again together. Default 0. A batch after a small one waits for nobody.
   */
  gatherMs?: number;
  /**
   * So many have to wait before a flush starts beside another; default 1. Fewer go when that one ends, or takes long: a
   * server that writes one thing after the other takes longer for two small ones than for both at once.
   */
  besideFrom?: number;
  /**
   * A batch takes no more than its share of what waits and is under way, so that one is prepared while the other is
   * written; default false. Few are not shared out.
   */
  even?: boolean;
  /** Called with the size of each batch. */
  onBatch?: (size: number) => void;
}

interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/** What was alone, or nearly, has no company to wait for. */
const SMALL = 8;
/** For `besideFrom`, where flushes are writes in the database. */
export const BESIDE_FROM = 5;
/** Another flush is waited for so long, in milliseconds, by those that are too few to start beside it. */
const BESIDE_MS = 50;
/** So many are not shared out. */
const FEW = 16;

/** The result of one item in a flush that concerns others too: an error is told to its own caller alone. */
export type Settled<R> = { value: R } | { error: Error };

/**
 * Writes together what arrives at the same time. An item that finds nothing under way is flushed at the end of the
 * present turn of the event loop; while flushes are under way, items gather, so that batches grow with the load and a
 * lone item never waits.
 */
export class GroupCommit<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private inFlight = 0;
  private itemsInFlight = 0;
  private scheduled = false;
  private timer: { at: number; timeout: NodeJS.Timeout } | null = null;
  private lastSize = 0;
  private idle: (() => void)[] = [];

  constructor(
    private readonly flush: (items: readonly T[]) => Promise<readonly Settled<R>[]>,
    private readonly options: GroupCommitOptions,
  ) {}

  /** Resolves or rejects with what the flush said of this item; rejects with its error when a flush failed as a whole. */
  add(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  /** Resolves when nothing is waiting and nothing is under way. */
  async drained(): Promise<void> {
    while (this.waiting.length > 0 || this.inFlight > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0 || this.inFlight >= this.options.maxInFlight) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.startIn(this.patienceMs());
    });
  }

  /** How long to wait for company, in milliseconds. */
  private patienceMs(): number {
    const { gatherMs = 0, besideFrom = 1 } = this.options;
    if (this.inFlight > 0 && this.waiting.length < besideFrom) return BESIDE_MS;
    return this.lastSize <= SMALL || this.waiting.length >= this.lastSize ? 0 : gatherMs;
  }

  private share(): number {
    const { even = false, maxBatch, maxInFlight } = this.options;
    if (!even) return maxBatch;
    const share = Math.ceil((this.waiting.length + this.itemsInFlight) / maxInFlight);
    return Math.min(maxBatch, Math.max(FEW, share));
  }

  private startIn(ms: number): void {
    if (ms === 0) return this.start();
    const at = performance.now() + ms;
    if (this.timer !== null && this.timer.at <= at) return;
    this.clearTimer();
    this.timer = { at, timeout: setTimeout(() => this.start(), ms) };
  }

  private clearTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer.timeout);
    this.timer = null;
  }

  private start(): void {
    this.clearTimer();
    if (this.waiting.length === 0 || this.inFlight >= this.options.maxInFlight) return;
    const batch = this.waiting.splice(0, this.share());
    this.lastSize = batch.length;
    this.inFlight += 1;
    this.itemsInFlight += batch.length;
    this.options.onBatch?.(batch.length);
    void this.run(batch);
    this.schedule();
  }

  private async run(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.flush(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => {
        const result = results[index];
        if (result === undefined) waiting.reject(new Error('the flush answered fewer results than it was given items'));
        else if ('error' in result) waiting.reject(result.error);
        else waiting.resolve(result.value);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.inFlight -= 1;
      this.itemsInFlight -= batch.length;
      this.schedule();
      if (this.waiting.length === 0 && this.inFlight === 0) for (const resolve of this.idle.splice(0)) resolve();
    }
  }
}
