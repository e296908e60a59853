import { SCHEDULER } from '#domain/round';
import type { BulkCanceller, BulkCounts, BulkProgress, Clock, Job, OpenBulk } from './ports.js';

export interface BulkCompletionParts {
  bulks: BulkProgress;
  counts: BulkCounts;
  canceller: BulkCanceller;
  now: Clock;
}

/** Open bulks that are looked at in one run. */
const LIMIT = 1000;

/** Notices that a bulk has nothing pending any more, and finishes cancellations. */
export class BulkCompletion implements Job {
  constructor(private readonly parts: BulkCompletionParts) {}

  async run(): Promise<number> {
    let closed = 0;
    for (const bulk of await this.parts.bulks.open(LIMIT)) if (await this.close(bulk)) closed += 1;
    return closed;
  }

  private async close({ id, serviceName, status }: OpenBulk): Promise<boolean> {
    const { bulks, counts, canceller, now } = this.parts;
    const at = now();
    // What was being sent may have gone back to wait, and a cancellation may have been interrupted.
    if (status === 'cancelling')
      await canceller.cancelOfBulk(serviceName, id, {
        to: 'cancelled',
        at,
        actor: SCHEDULER,
        reason: 'bulk_cancelled',
      });
    const { pending } = await counts.countBulk(serviceName, id);
    if (pending > 0) return false;
    const to = status === 'cancelling' ? 'cancelled' : 'completed';
    return (await bulks.move(id, [status], to, at)) !== null;
  }
}
