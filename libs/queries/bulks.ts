import type { BulkBody, Refusal } from '#contracts/http/bulk';
import type { BulkStatus } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import { Cursors, type Page, pageOf } from '#paging/cursor';
import type { BulkReader, BulkRecord, BulkRefusalRecord, ReadStore } from './ports.js';

/** Refusals in the body of a bulk; the rest is a list of its own. */
const SHOWN_REFUSALS = 100;

/** What a bulk becomes once nothing of it is pending. */
const ENDS: Partial<Record<BulkStatus, BulkStatus>> = { running: 'completed', cancelling: 'cancelled' };

const refusalView = (refusal: BulkRefusalRecord): Refusal => ({
  index: refusal.index,
  reference: refusal.reference,
  errors: refusal.errors.map((error) => ({ ...error })),
});

/** Looking at bulks. Progress is counted when asked for; that one has ended is noticed then, too. */
export class BulkQueries {
  constructor(
    private readonly bulks: BulkReader,
    private readonly store: Pick<ReadStore, 'countBulk'>,
    private readonly now: () => Date,
  ) {}

  /** @throws NotFound */
  async one(caller: Caller, id: string): Promise<BulkBody> {
    const found = await this.find(caller, id);
    const [counts, refused] = await Promise.all([
      this.store.countBulk(found.serviceName, id),
      found.refused === 0 ? [] : this.bulks.refusals(id, SHOWN_REFUSALS, -1),
    ]);
    const bulk = counts.pending === 0 ? await this.end(found) : found;
    return {
      id: bulk.id,
      serviceName: bulk.serviceName,
      status: bulk.status,
      createdAt: bulk.createdAt.toISOString(),
      completedAt: bulk.completedAt === null ? null : bulk.completedAt.toISOString(),
      counts: {
        total: bulk.total,
        accepted: bulk.accepted,
        refused: bulk.refused,
        notifications: counts.pending + counts.sent + counts.failed + counts.cancelled,
        pending: counts.pending,
        sent: counts.sent,
        failed: counts.failed,
        cancelled: counts.cancelled,
      },
      refused: refused.map(refusalView),
      refusedTruncated: bulk.refused > refused.length,
    };
  }

  /** @throws NotFound, InvalidCursor */
  async refusals(
    caller: Caller,
    id: string,
    query: { limit: number; cursor?: string | undefined },
  ): Promise<Page<Refusal>> {
    const cursors = new Cursors(`bulks/${id}/refused`, {});
    const after = cursors.index(query.cursor);
    await this.find(caller, id);
    const rows = await this.bulks.refusals(id, query.limit + 1, after ?? -1);
    const { data, page } = pageOf(rows, query.limit, (last) => cursors.ofIndex(last.index));
    return { data: data.map(refusalView), page };
  }

  private async find(caller: Caller, id: string): Promise<BulkRecord> {
    const found = await this.bulks.find(id);
    if (found === null || !caller.services.has(found.serviceName)) throw new NotFound('bulk');
    return found;
  }

  private async end(bulk: BulkRecord): Promise<BulkRecord> {
    const to = ENDS[bulk.status];
    if (to === undefined) return bulk;
    // Whoever else noticed it first has written the same.
    return (await this.bulks.move(bulk.id, [bulk.status], to, this.now())) ?? (await this.bulks.find(bulk.id)) ?? bulk;
  }
}
