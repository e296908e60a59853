import type { ErrorClass } from '#contracts/vocabulary';
import { announcementOf, type ChangeStore, type PlannedChange, transitionTo } from '#domain/change';
import { deliveriesOf } from '#domain/deliveries';
import type { Notification } from '#domain/notification';
import { MAX_CLAIMS } from '#domain/retry';
import { SCHEDULER } from '#domain/round';
import { closed, rollUp } from '#domain/settle';
import { handleAll } from './batches.js';
import type { Announcer, Job, UpkeepStore } from './ports.js';

export interface StaleLeasesParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'findStale' | 'now'>;
  changes: ChangeStore;
  announcer: Announcer;
  /** What a dispatcher is granted after the end of its lease, in milliseconds. */
  graceMs: number;
}

const LIMITS = { batch: 500, batches: 20 };

/** Takes over what vanished dispatchers had claimed. */
export class StaleLeases implements Job {
  constructor(private readonly parts: StaleLeasesParts) {}

  async run(): Promise<number> {
    const { services, store, graceMs } = this.parts;
    const now = await store.now();
    let recovered = 0;
    for (const serviceName of services)
      recovered += await handleAll(
        LIMITS,
        (limit) => store.findStale(serviceName, graceMs, limit),
        (notification) => this.recover(notification, now),
      );
    return recovered;
  }

  private async recover(notification: Notification, now: Date): Promise<boolean> {
    const change = recovery(notification, now);
    const after = await this.parts.changes.change(change);
    if (after === null) return false;
    this.parts.announcer.announce([announcementOf(after, change.outbox, now)]);
    return true;
  }
}

/** Nobody can tell what the dispatcher still did: send again, alone; or ask a person; or, the third time, give up. */
const recovery = (notification: Notification, at: Date): PlannedChange => {
  const step = { at, actor: SCHEDULER };
  const { to, id, claims } = notification;
  // Named targets are written with their first results only, so none written does not mean that none was tried.
  const deliveries =
    notification.deliveries.length === 0 && to !== null ? deliveriesOf(id, to) : notification.deliveries;

  if (notification.atMostOnce && deliveries.some(({ status }) => status === 'open'))
    return ended(notification, closed(deliveries, 'uncertain'), {
      at,
      code: 'dispatcher_vanished',
      class: 'provider',
      message: 'the dispatcher vanished while it was sending: it may have been delivered',
    });
  if (claims >= MAX_CLAIMS)
    return ended(notification, closed(deliveries, 'failed'), {
      at,
      code: 'abandoned',
      class: 'poison',
      message: `${claims} dispatchers vanished while they were sending it`,
    });
  return transitionTo(notification, 'approved', {
    ...step,
    reason: 'dispatcher_vanished',
    wake: true,
    visible: false,
    set: { lease: null, alone: true, waiting: null, nextAttemptAt: at },
  });
};

const ended = (
  notification: Notification,
  deliveries: Notification['deliveries'],
  lastError: { at: Date; code: string; class: ErrorClass; message: string },
): PlannedChange => {
  const rolledUp = rollUp(deliveries);
  const to = rolledUp === 'open' ? 'failed' : rolledUp;
  const { at, code } = lastError;
  return transitionTo(notification, to, {
    at,
    actor: SCHEDULER,
    reason: code,
    deadLetter: to === 'failed',
    set: {
      lease: null,
      claims: 0,
      alone: false,
      nextAttemptAt: null,
      waiting: to === 'uncertain' ? { reason: 'resolution', until: null } : null,
      deliveries,
      lastError,
      ...(to === 'failed' ? { failedAt: at } : {}),
      ...(to === 'sent' ? { sentAt: notification.sentAt ?? at } : {}),
    },
  });
};
