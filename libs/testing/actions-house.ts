import { Actions } from '#lifecycle/actions';
import type { LimitRequest } from '#domain/limits';
import type { Delivery, Notification } from '#domain/notification';
import { MemoryRecipientLookup, MemoryUserLimits, RecordingAnnouncer } from './memory-acceptance.js';
import { MemoryDeadLetters } from './memory-dead-letters.js';
import { notificationOf } from './memory-delivery.js';
import { MemoryNotifications } from './memory-notifications.js';

/** Actions over twins in memory, at a time that stands still. The one recipient with a target is p-1, by e-mail. */
export class ActionsHouse {
  readonly store: MemoryNotifications;
  readonly deadLetters: MemoryDeadLetters;
  readonly limits = new MemoryUserLimits();
  readonly announcer = new RecordingAnnouncer();
  readonly actions: Actions;
  /** Service and id of what was marked in inboxes. */
  readonly readInInbox: [string, string][] = [];
  /** Services whose drafts others have to approve. */
  readonly byOthers = new Set<string>();
  placesNeeded: (notification: Notification) => LimitRequest[] = () => [];

  constructor(private readonly now: Date) {
    this.store = new MemoryNotifications(now);
    this.deadLetters = new MemoryDeadLetters(now);
    this.actions = new Actions({
      store: this.store,
      deadLetters: this.deadLetters,
      inbox: { markRead: (...read) => Promise.resolve(void this.readInInbox.push(read)) },
      limits: this.limits,
      announcer: this.announcer,
      recipients: new MemoryRecipientLookup(new Set(['diabetes:email:p-1'])),
      byOthers: (serviceName) => this.byOthers.has(serviceName),
      placesNeeded: (notification) => this.placesNeeded(notification),
      now: () => now,
    });
  }

  add(over: Partial<Notification>): Notification {
    return this.store.add(notificationOf(over));
  }

  addDraft(over: Partial<Notification> = {}): Notification {
    return this.add({
      state: 'draft',
      approvedAt: null,
      nextAttemptAt: null,
      waiting: { reason: 'approval', until: null },
      history: [{ from: null, to: 'draft', at: this.now, actor: 'key:9', reason: null }],
      ...over,
    });
  }

  /** Someone else writes first, so many times. */
  lose(times: number, write: (notification: Notification) => Partial<Notification> = () => ({})): void {
    let left = times;
    this.store.beforeChange = ({ id }) => {
      if (left === 0) return;
      left -= 1;
      const found = this.store.get(id);
      this.store.add({ ...found, ...write(found), version: found.version + 1 });
    };
  }
}

export const deliveryOf = (n: number, status: Delivery['status']): Delivery => ({
  id: `n-${n}`,
  target: `t-${n}`,
  status,
  provider: null,
  providerMessageId: null,
  attempts: [],
});
