import type { DeadLetterStatus } from '#contracts/vocabulary';
import type { DeadLetter } from '#domain/dead-letter';
import type { Alert, Alerts, DeadLetterFilter, DeadLetterStore } from '#lifecycle/ports';

interface Place {
  createdAt: Date;
  id: string;
}
const newestFirst = (a: Place, b: Place): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1);

/** In-memory twin of the dead letters' store. */
export class MemoryDeadLetters implements DeadLetterStore {
  readonly documents = new Map<string, DeadLetter>();
  down = false;

  constructor(public time: Date) {}

  record(deadLetter: DeadLetter): Promise<boolean> {
    const same = [...this.documents.values()].some((other) =>
      deadLetter.notificationId === null
        ? deadLetter.message?.messageId != null &&
          other.notificationId === null &&
          other.message?.messageId === deadLetter.message.messageId &&
          other.queue === deadLetter.queue
        : other.notificationId === deadLetter.notificationId && other.round === deadLetter.round,
    );
    if (!same) this.documents.set(deadLetter.id, deadLetter);
    return Promise.resolve(!same);
  }

  find(id: string): Promise<DeadLetter | null> {
    return Promise.resolve(this.documents.get(id) ?? null);
  }

  move(id: string, from: readonly DeadLetterStatus[], to: DeadLetterStatus): Promise<DeadLetter | null> {
    const found = this.documents.get(id);
    if (found === undefined || !from.includes(found.status)) return Promise.resolve(null);
    return Promise.resolve(this.put({ ...found, status: to, retryAt: null }));
  }

  page(filter: DeadLetterFilter, limit: number, before: Place | null): Promise<DeadLetter[]> {
    const { services, serviceName, class: errorClass, channel, status, createdFrom, createdTo } = filter;
    return Promise.resolve(
      [...this.documents.values()]
        .filter(
          (one) =>
            (one.serviceName === null || services.has(one.serviceName)) &&
            (serviceName === undefined || one.serviceName === serviceName) &&
            (errorClass === undefined || one.class === errorClass) &&
            (channel === undefined || one.channel === channel) &&
            (status === undefined || one.status === status) &&
            (createdFrom === undefined || one.createdAt >= createdFrom) &&
            (createdTo === undefined || one.createdAt < createdTo) &&
            (before === null || newestFirst(before, one) < 0),
        )
        .sort(newestFirst)
        .slice(0, limit),
    );
  }

  due(limit: number): Promise<DeadLetter[]> {
    return Promise.resolve(
      [...this.documents.values()]
        .filter(({ status, retryAt }) => status === 'waiting' && retryAt !== null && retryAt <= this.time)
        .slice(0, limit),
    );
  }

  closeFor(notificationId: string, round: number, to: DeadLetterStatus): Promise<void> {
    if (this.down) return Promise.reject(new Error('the store is down'));
    for (const one of this.documents.values())
      if (one.notificationId === notificationId && one.round === round && ['waiting', 'archived'].includes(one.status))
        this.put({ ...one, status: to, retryAt: null });
    return Promise.resolve();
  }

  private put(deadLetter: DeadLetter): DeadLetter {
    const changed = { ...deadLetter, updatedAt: this.time };
    this.documents.set(deadLetter.id, changed);
    return changed;
  }
}

export class RecordingAlerts implements Alerts {
  readonly raised: Alert[] = [];

  raise(alert: Alert): Promise<void> {
    this.raised.push(alert);
    return Promise.resolve();
  }
}
