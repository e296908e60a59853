import { deliverQueue } from '#contracts/topology';
import type { Channel, Lane } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';
import type { Databases } from '#persistence/databases';
import { MongoWatermarks } from '#persistence/watermarks/watermarks';
import type { Logger } from '#observability/logging';

const WRITE_EVERY_MS = 1_000;

/** How far this process has come in each lane, written once a second: see the scheduler's overdue scan. */
export class LaneMarks {
  private marks = new Map<string, { claimedAt: Date; dueUpTo: Date }>();
  private timer: NodeJS.Timeout | null = null;
  private readonly store: MongoWatermarks;

  constructor(
    databases: Databases,
    private readonly log: Logger,
  ) {
    this.store = new MongoWatermarks(databases);
  }

  claimed(channel: Channel, lane: Lane, claimed: readonly Notification[]): void {
    const queue = deliverQueue(channel, lane);
    const dueUpTo = claimed.reduce(
      (latest, { nextAttemptAt }) => (nextAttemptAt !== null && nextAttemptAt > latest ? nextAttemptAt : latest),
      this.marks.get(queue)?.dueUpTo ?? new Date(0),
    );
    this.marks.set(queue, { claimedAt: new Date(), dueUpTo });
    this.timer ??= setTimeout(() => void this.write(), WRITE_EVERY_MS);
  }

  async close(): Promise<void> {
    if (this.timer !== null) await this.write();
  }

  private async write(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const marks = this.marks;
    this.marks = new Map();
    try {
      await this.store.write(marks);
    } catch (err) {
      this.log.warn({ err }, 'cannot write how far the lanes have come; the next ones will say it');
    }
  }
}
