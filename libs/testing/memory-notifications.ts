import type { Channel, Lane, Status } from '#contracts/vocabulary';
import type { Outbox } from '#domain/accepted';
import type { Change } from '#domain/change';
import { awaitsAutomaticRetry } from '#domain/dead-letter';
import type { Notification, Transition } from '#domain/notification';
import { closed } from '#domain/settle';
import { isFinal, statusOfNotification } from '#domain/states';
import type { NotificationStore } from '#lifecycle/ports';
import type { GroupUpkeep, OwedNotification, UpkeepStore } from '#upkeep/ports';

interface Stored {
  notification: Notification;
  outbox: Outbox | null;
}

const HOUR_MS = 3_600_000;
const byTime =
  (timeOf: (notification: Notification) => Date | null) =>
  (a: Stored, b: Stored): number =>
    (timeOf(a.notification)?.getTime() ?? 0) - (timeOf(b.notification)?.getTime() ?? 0);

/** A transition overtakes the wake and the dead letter of the state that it leaves, but no status that nobody was told. */
const owedWith = (before: Outbox | null, added: Outbox | null, isTransition: boolean): Outbox | null => {
  if (before === null || added === null) return added ?? (isTransition ? null : before);
  return {
    at: before.at < added.at ? before.at : added.at,
    wake: added.wake || (!isTransition && before.wake),
    status: added.status || before.status,
    previousStatus: before.status ? before.previousStatus : added.previousStatus,
    deadLetter: added.deadLetter || (!isTransition && before.deadLetter),
  };
};

/** In-memory twin of what lifecycle and upkeep need of the notifications, by a clock that the test holds. */
export class MemoryNotifications implements NotificationStore, UpkeepStore, GroupUpkeep {
  readonly documents = new Map<string, Stored>();
  /** Called before each compare-and-set: a test lets someone else write first. */
  beforeChange: (change: Change) => void = () => undefined;

  constructor(public time: Date) {}

  add(notification: Notification, outbox: Outbox | null = null): Notification {
    this.documents.set(notification.id, { notification, outbox });
    return notification;
  }

  get(id: string): Notification {
    return this.stored(id).notification;
  }

  outboxOf(id: string): Outbox | null {
    return this.stored(id).outbox;
  }

  /** As the announcer does once the broker has confirmed. */
  clearOutbox(id: string): void {
    this.add(this.get(id));
  }

  find(id: string, services: Iterable<string>): Promise<Notification | null> {
    const found = this.documents.get(id)?.notification;
    return Promise.resolve(found !== undefined && [...services].includes(found.serviceName) ? found : null);
  }

  change(change: Change): Promise<Notification | null> {
    this.beforeChange(change);
    const stored = this.documents.get(change.id);
    const found = stored?.notification;
    if (stored === undefined || found?.serviceName !== change.serviceName || found.version !== change.version)
      return Promise.resolve(null);
    const { state = found.state, transition, set } = change;
    const outbox = owedWith(stored.outbox, change.outbox, change.state !== undefined);
    const history = transition === undefined ? found.history : [...found.history, transition];
    const version = found.version + 1;
    const groupDueAt = found.group?.mode === 'fallback' ? this.time : null;
    return Promise.resolve(
      this.add({ ...found, ...set, state, history, version, groupDueAt, updatedAt: this.time }, outbox),
    );
  }

  cancelOfBulk(serviceName: string, bulkId: string, transition: Omit<Transition, 'from'>): Promise<number> {
    const open = this.all(serviceName).filter(
      ({ notification: { state, bulkId: of } }) => of === bulkId && (state === 'draft' || state === 'approved'),
    );
    for (const { notification } of open)
      this.add(
        {
          ...notification,
          state: 'cancelled',
          version: notification.version + 1,
          waiting: null,
          nextAttemptAt: null,
          deliveries: closed(notification.deliveries, 'failed'),
          history: [...notification.history, { ...transition, from: notification.state }],
          updatedAt: this.time,
        },
        { at: this.time, wake: false, status: true, previousStatus: 'pending', deadLetter: false },
      );
    return Promise.resolve(open.length);
  }

  findOwed(serviceName: string, limit: number): Promise<OwedNotification[]> {
    const owed = this.all(serviceName).flatMap(({ notification, outbox }) =>
      outbox === null || outbox.at > this.time
        ? []
        : [{ notification, outbox: { ...outbox, previousStatus: outbox.previousStatus as Status | null } }],
    );
    owed.sort((a, b) => a.outbox.at.getTime() - b.outbox.at.getTime());
    return Promise.resolve(owed.slice(0, limit));
  }

  nextOwedInMs(serviceName: string, withinMs: number): Promise<number | null> {
    const times = this.all(serviceName).flatMap(({ outbox }) => (outbox === null ? [] : [outbox.at.getTime()]));
    const next = Math.min(...times) - this.time.getTime();
    return Promise.resolve(next <= withinMs ? next : null);
  }

  oweWakeAgain(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date, limit: number): Promise<number> {
    const lost = this.waiting(serviceName, channel, lane)
      .filter(({ notification: { nextAttemptAt } }) => nextAttemptAt !== null && nextAttemptAt < dueBefore)
      .slice(0, limit);
    for (const { notification } of lost)
      this.add(notification, { at: this.time, wake: true, status: false, previousStatus: null, deadLetter: false });
    return Promise.resolve(lost.length);
  }

  oldestWaiting(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date): Promise<Date | null> {
    const oldest = this.waiting(serviceName, channel, lane)[0]?.notification.nextAttemptAt ?? null;
    return Promise.resolve(oldest !== null && oldest < dueBefore ? oldest : null);
  }

  findStale(serviceName: string, graceMs: number, limit: number): Promise<Notification[]> {
    const endedBefore = this.time.getTime() - graceMs;
    return this.some(
      serviceName,
      limit,
      ({ state, lease }) => state === 'sending' && lease !== null && lease.until.getTime() <= endedBefore,
    );
  }

  findExpirable(serviceName: string, olderThan: Date, limit: number): Promise<Notification[]> {
    return this.some(serviceName, limit, ({ state, expiresAt, createdAt }) => {
      const unsent = state === 'draft' || state === 'approved';
      if (createdAt < olderThan) return unsent || state === 'uncertain';
      return unsent && expiresAt !== null && expiresAt <= this.time;
    });
  }

  findFailedNotificationsOlderThan(serviceName: string, hours: number, limit: number): Promise<Notification[]> {
    const failedBefore = this.time.getTime() - hours * HOUR_MS;
    return this.some(
      serviceName,
      limit,
      (notification) =>
        awaitsAutomaticRetry(notification) && (notification.failedAt?.getTime() ?? Infinity) <= failedBefore,
    );
  }

  ofGroup(serviceName: string, groupId: string): Promise<Notification[]> {
    const members = this.all(serviceName).flatMap(({ notification }) =>
      notification.groupId === groupId ? [notification] : [],
    );
    return Promise.resolve(members.sort((a, b) => (a.group?.position ?? 0) - (b.group?.position ?? 0)));
  }

  async groupsDue(serviceName: string, limit: number): Promise<string[]> {
    const isDue = ({ groupDueAt }: Notification): boolean => groupDueAt !== null && groupDueAt <= this.time;
    const due = await this.some(serviceName, Infinity, isDue);
    due.sort((a, b) => (a.groupDueAt?.getTime() ?? 0) - (b.groupDueAt?.getTime() ?? 0));
    return [...new Set(due.slice(0, limit).flatMap(({ groupId }) => groupId ?? []))];
  }

  lookedAt(
    _serviceName: string,
    members: readonly { id: string; version: number; lookAgainAt: Date | null }[],
  ): Promise<void> {
    for (const { id, version, lookAgainAt } of members) {
      const { notification, outbox } = this.stored(id);
      if (notification.version === version) this.add({ ...notification, groupDueAt: lookAgainAt }, outbox);
    }
    return Promise.resolve();
  }

  deleteFinalBefore(serviceName: string, before: Date, limit: number): Promise<number> {
    const old = this.finalBefore(serviceName, before).slice(0, limit);
    for (const { notification } of old) this.documents.delete(notification.id);
    return Promise.resolve(old.length);
  }

  countFinalBefore(serviceName: string, before: Date, limit: number): Promise<number> {
    return Promise.resolve(Math.min(limit, this.finalBefore(serviceName, before).length));
  }

  private finalBefore(serviceName: string, before: Date): Stored[] {
    return this.all(serviceName).filter(
      ({ notification, outbox }) => isFinal(notification) && outbox === null && notification.createdAt < before,
    );
  }

  now(): Promise<Date> {
    return Promise.resolve(this.time);
  }

  pendingOfBulk(serviceName: string, bulkId: string, limit: number, afterId: string | null): Promise<Notification[]> {
    const pending = this.all(serviceName)
      .map(({ notification }) => notification)
      .filter((one) => one.bulkId === bulkId && statusOfNotification(one) === 'pending' && one.id > (afterId ?? ''));
    return Promise.resolve(pending.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit));
  }

  countBulk(serviceName: string, bulkId: string): Promise<Record<Status, number>> {
    const counts = { pending: 0, sent: 0, failed: 0, cancelled: 0 };
    for (const { notification } of this.all(serviceName))
      if (notification.bulkId === bulkId) counts[statusOfNotification(notification)] += 1;
    return Promise.resolve(counts);
  }

  private stored(id: string): Stored {
    const found = this.documents.get(id);
    if (found === undefined) throw new Error(`no notification ${id}`);
    return found;
  }

  private all(serviceName: string): Stored[] {
    return [...this.documents.values()].filter(({ notification }) => notification.serviceName === serviceName);
  }

  private some(
    serviceName: string,
    limit: number,
    is: (notification: Notification) => boolean,
  ): Promise<Notification[]> {
    const found = this.all(serviceName).filter(({ notification }) => is(notification));
    found.sort(byTime(({ createdAt }) => createdAt));
    return Promise.resolve(found.slice(0, limit).map(({ notification }) => notification));
  }

  /** Approved, due, nothing owed: the earliest first. */
  private waiting(serviceName: string, channel: Channel, lane: Lane): Stored[] {
    return this.all(serviceName)
      .filter(
        ({ notification: one, outbox }) =>
          outbox === null &&
          one.state === 'approved' &&
          one.channel === channel &&
          one.lane === lane &&
          one.nextAttemptAt !== null &&
          one.nextAttemptAt <= this.time,
      )
      .sort(byTime(({ nextAttemptAt }) => nextAttemptAt));
  }
}
