import type { BulkRefusal, BulkStore, NewBulk } from '#acceptance/ports';
import { STATUSES, type BulkStatus, type Status, TYPES } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';
import { statusOfNotification } from '#domain/states';
import type {
  BulkReader,
  BulkRecord,
  BulkRefusalRecord,
  NotificationFilter,
  Position,
  ReadStore,
  Statistics,
} from '#queries/ports';
import { newestFirst } from './memory-access.js';

const zero = <T extends string>(names: readonly T[]): Record<T, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;

const matches = (filter: NotificationFilter, one: Notification): boolean =>
  filter.services.includes(one.serviceName) &&
  (['userId', 'tenantId', 'reference', 'bulkId', 'groupId'] as const).every(
    (name) => filter[name] === undefined || filter[name] === one[name],
  ) &&
  (filter.status?.includes(statusOfNotification(one)) ?? true) &&
  (filter.state?.includes(one.state) ?? true) &&
  (filter.channel?.includes(one.channel) ?? true) &&
  (filter.type?.includes(one.type) ?? true) &&
  (filter.createdFrom === undefined || one.createdAt >= filter.createdFrom) &&
  (filter.createdTo === undefined || one.createdAt < filter.createdTo);

/** In-memory twins of the ports of queries. */
export class MemoryReadStore implements ReadStore {
  /** @param all what the store holds, asked anew each time */
  constructor(private readonly all: () => Iterable<Notification>) {}

  find(id: string, services: Iterable<string>): Promise<Notification | null> {
    const allowed = new Set(services);
    return Promise.resolve([...this.all()].find((one) => one.id === id && allowed.has(one.serviceName)) ?? null);
  }

  list(filter: NotificationFilter, limit: number, after: Position | null): Promise<Notification[]> {
    const found = [...this.all()].filter((one) => matches(filter, one)).sort(newestFirst);
    return Promise.resolve(found.filter((one) => after === null || newestFirst(after, one) < 0).slice(0, limit));
  }

  async findUnreadByUser(userId: string, serviceName: string, limit: number): Promise<Notification[]> {
    const found = await this.list({ services: [serviceName], userId, state: ['sent'] }, Infinity, null);
    return found.filter(({ readAt }) => readAt === null).slice(0, limit);
  }

  async getStatisticsByService(
    serviceName: string,
    period: { from?: Date; to?: Date },
    tenantId?: string,
  ): Promise<Statistics> {
    const filter: NotificationFilter = {
      services: [serviceName],
      ...(period.from === undefined ? {} : { createdFrom: period.from }),
      ...(period.to === undefined ? {} : { createdTo: period.to }),
      ...(tenantId === undefined ? {} : { tenantId }),
    };
    const found = await this.list(filter, Infinity, null);
    const figures: Statistics = {
      total: found.length,
      byType: zero(TYPES),
      byStatus: zero(STATUSES),
      processing: { sumMs: 0, count: 0 },
    };
    for (const one of found) {
      figures.byType[one.type] += 1;
      figures.byStatus[statusOfNotification(one)] += 1;
      if (one.sentAt === null) continue;
      figures.processing.sumMs += one.sentAt.getTime() - one.createdAt.getTime();
      figures.processing.count += 1;
    }
    return figures;
  }

  async countByStatusAndService(status: Status, serviceName: string, from: Date, to: Date): Promise<number> {
    const filter = { services: [serviceName], status: [status], createdFrom: from, createdTo: to };
    return (await this.list(filter, Infinity, null)).length;
  }

  async countBulk(serviceName: string, bulkId: string): Promise<Record<Status, number>> {
    const counts = zero(STATUSES);
    for (const one of await this.list({ services: [serviceName], bulkId }, Infinity, null))
      counts[statusOfNotification(one)] += 1;
    return counts;
  }
}

interface Kept {
  record: BulkRecord;
  refusals: BulkRefusalRecord[];
  idempotency: NewBulk['idempotency'];
}

/** Both sides of bulks: what accepts them, and what looks at them. */
export class MemoryBulks implements BulkReader, BulkStore {
  readonly bulks = new Map<string, Kept>();

  begin(bulk: NewBulk): ReturnType<BulkStore['begin']> {
    for (const { record, idempotency } of this.bulks.values())
      if (idempotency !== null && idempotency.scope === bulk.idempotency?.scope)
        return Promise.resolve({
          kind: 'duplicate',
          id: record.id,
          fingerprint: idempotency.fingerprint,
          standing: record.status === 'accepting' ? 'in_use' : 'finished',
        });
    const { id, serviceName, tenantId, total, idempotency } = bulk;
    const record: BulkRecord = {
      ...{ id, serviceName, tenantId, total, status: 'accepting', createdAt: new Date(), completedAt: null },
      ...{ accepted: 0, refused: 0 },
    };
    this.bulks.set(id, { record, refusals: [], idempotency });
    return Promise.resolve({ kind: 'begun' });
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  run(id: string, accepted: number, refusals: readonly BulkRefusal[]): Promise<void> {
    const kept = this.bulks.get(id);
    if (kept !== undefined)
      this.bulks.set(id, {
        ...kept,
        refusals: [...refusals],
        record: { ...kept.record, status: 'running', accepted, refused: refusals.length },
      });
    return Promise.resolve();
  }

  told(): Promise<void> {
    return Promise.resolve();
  }

  forget(id: string): Promise<void> {
    this.bulks.delete(id);
    return Promise.resolve();
  }

  find(id: string): Promise<BulkRecord | null> {
    return Promise.resolve(this.bulks.get(id)?.record ?? null);
  }

  refusals(id: string, limit: number, afterIndex: number): Promise<BulkRefusalRecord[]> {
    const refusals = this.bulks.get(id)?.refusals ?? [];
    return Promise.resolve(refusals.filter(({ index }) => index > afterIndex).slice(0, limit));
  }

  move(id: string, from: readonly BulkStatus[], to: BulkStatus, at: Date): Promise<BulkRecord | null> {
    const kept = this.bulks.get(id);
    if (kept === undefined || !from.includes(kept.record.status)) return Promise.resolve(null);
    kept.record = { ...kept.record, status: to, completedAt: to === 'completed' || to === 'cancelled' ? at : null };
    return Promise.resolve(kept.record);
  }

  open(limit: number): Promise<BulkRecord[]> {
    const records = [...this.bulks.values()].map(({ record }) => record);
    return Promise.resolve(
      records.filter(({ status }) => status === 'running' || status === 'cancelling').slice(0, limit),
    );
  }
}
