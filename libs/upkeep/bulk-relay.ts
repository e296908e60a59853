import { announcementOf, RELAY_GRACE_MS } from '#domain/change';
import { isHeldBack } from '#domain/groups';
import type { Notification } from '#domain/notification';
import type { Announcer, BulkItems, BulkOutbox, Clock, Job, OwedBulk } from './ports.js';
import { tell } from './tell.js';

export interface BulkRelayParts {
  bulks: BulkOutbox;
  items: BulkItems;
  announcer: Announcer;
  now: Clock;
}

/** Bulks that are looked at in one run. */
const LIMIT = 10;
const BATCH = 1000;

/**
 * Publishes what the items of a bulk still owe to the broker: its gateway died, or the broker was away. Which of them
 * were told is not known, so that all that is pending is told once more; what is not pending any more told that itself.
 */
export class BulkRelay implements Job {
  constructor(private readonly parts: BulkRelayParts) {}

  async run(): Promise<number> {
    let told = 0;
    for (const bulk of await this.parts.bulks.owed(LIMIT)) told += await this.relay(bulk);
    return told;
  }

  private async relay(bulk: OwedBulk): Promise<number> {
    const { bulks, items, now } = this.parts;
    let told = 0;
    let allConfirmed: boolean;
    let last: string | null = null;
    do {
      const batch = await items.pendingOfBulk(bulk.serviceName, bulk.id, BATCH, last);
      last = batch.length < BATCH ? null : (batch.at(-1)?.id ?? null);
      allConfirmed = await this.tell(batch);
      told += batch.length;
    } while (last !== null && allConfirmed);
    const isDone = allConfirmed && !bulk.grows;
    await bulks.toldUntil(bulk, isDone ? null : new Date(now().getTime() + RELAY_GRACE_MS));
    return told;
  }

  private tell(batch: readonly Notification[]): Promise<boolean> {
    const { announcer, now } = this.parts;
    const at = now();
    const announcements = batch.map((notification) =>
      announcementOf(
        notification,
        { at, wake: !isHeldBack(notification), status: true, previousStatus: null, deadLetter: false },
        at,
      ),
    );
    return tell(announcer, announcements);
  }
}
