import { announcementOf, type ChangeStore, markedWith } from '#domain/change';
import { handleAll } from './batches.js';
import type { Announcer, Clock, Job, NotificationFinder, ReadItem, ReadItems } from './ports.js';

export interface InboxReadsParts {
  services: readonly string[];
  items: ReadItems;
  store: NotificationFinder & ChangeStore;
  announcer: Announcer;
  now: Clock;
}

const LIMITS = { batch: 500, batches: 20 };

/** Marks notifications as read whose items were read in the inbox: once, by the first of them, and never taken back. */
export class InboxReads implements Job {
  constructor(private readonly parts: InboxReadsParts) {}

  async run(): Promise<number> {
    const { services, items } = this.parts;
    let told = 0;
    for (const serviceName of services)
      told += await handleAll(
        LIMITS,
        (limit) => items.readItems(serviceName, limit),
        (item) => this.tell(serviceName, item),
      );
    return told;
  }

  /** False where it has to be told another time. */
  private async tell(serviceName: string, item: ReadItem): Promise<boolean> {
    const { items, store, announcer, now } = this.parts;
    const notification = await store.find(item.notificationId, [serviceName]);
    // Read before the dispatcher has written that it is sent.
    if (notification?.state === 'sending' || notification?.state === 'approved') return false;
    if (notification?.state === 'sent' && notification.readAt === null) {
      const at = now();
      const change = markedWith(notification, { at, set: { readAt: item.readAt } });
      const after = await store.change(change);
      if (after === null) return false;
      announcer.announce([announcementOf(after, change.outbox, at)]);
    }
    await items.readTold(serviceName, item);
    return true;
  }
}
