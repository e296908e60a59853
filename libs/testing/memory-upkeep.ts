import type { BulkStatus } from '#contracts/vocabulary';
import type { BulkRecords, CancellableBulk } from '#lifecycle/ports';
import type { BulkProgress, Locks, Watermarks } from '#upkeep/ports';

/** In-memory twin of the bulks' records, as far as their end is concerned. */
export class MemoryBulks implements BulkRecords, BulkProgress {
  readonly documents = new Map<string, CancellableBulk & { completedAt: Date | null }>();

  add(bulk: CancellableBulk): void {
    this.documents.set(bulk.id, { ...bulk, completedAt: null });
  }

  find(id: string): Promise<CancellableBulk | null> {
    return Promise.resolve(this.documents.get(id) ?? null);
  }

  move(id: string, from: readonly BulkStatus[], to: BulkStatus, at: Date): Promise<CancellableBulk | null> {
    const found = this.documents.get(id);
    if (found === undefined || !from.includes(found.status)) return Promise.resolve(null);
    const moved = { ...found, status: to, completedAt: to === 'cancelling' ? null : at };
    this.documents.set(id, moved);
    return Promise.resolve(moved);
  }

  open(limit: number): Promise<CancellableBulk[]> {
    const open = [...this.documents.values()].filter(({ status }) => status === 'running' || status === 'cancelling');
    return Promise.resolve(open.slice(0, limit));
  }
}

export class MemoryWatermarks implements Watermarks {
  readonly marks = new Map<string, { claimedAt: Date; dueUpTo: Date }>();

  read(): Promise<ReadonlyMap<string, { claimedAt: Date; dueUpTo: Date }>> {
    return Promise.resolve(this.marks);
  }
}

/** One process's view of locks that several share through `held`. */
export class MemoryLocks implements Locks {
  constructor(readonly held: Map<string, MemoryLocks> = new Map()) {}

  async once(name: string, _ttlMs: number, work: () => Promise<void>): Promise<boolean> {
    const holder = this.held.get(name) ?? this;
    if (holder !== this) return false;
    this.held.set(name, this);
    await work();
    return true;
  }

  release(): Promise<void> {
    for (const [name, holder] of this.held) if (holder === this) this.held.delete(name);
    return Promise.resolve();
  }
}
