import type { StatisticsBody, StatisticsQuery } from '#contracts/http/statistics';
import { STATUSES, TYPES } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { defined } from './defined.js';
import type { ReadStore, Statistics } from './ports.js';
import { servicesAsked } from './services.js';

const zero = <T extends string>(names: readonly T[]): Record<T, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;

const add = <T extends string>(into: Record<T, number>, names: readonly T[], more: Record<T, number>): void => {
  for (const name of names) into[name] += more[name];
};

const sum = (parts: readonly Statistics[]): Statistics => {
  const total: Statistics = {
    total: 0,
    byType: zero(TYPES),
    byStatus: zero(STATUSES),
    processing: { sumMs: 0, count: 0 },
  };
  for (const part of parts) {
    total.total += part.total;
    add(total.byType, TYPES, part.byType);
    add(total.byStatus, STATUSES, part.byStatus);
    total.processing.sumMs += part.processing.sumMs;
    total.processing.count += part.processing.count;
  }
  return total;
};

const ratio = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 100) / 100;

const utc = (time: string | undefined): string | null => (time === undefined ? null : new Date(time).toISOString());

/** Figures of one service, or of all that a caller may use, summed. */
export class StatisticsQueries {
  constructor(private readonly store: Pick<ReadStore, 'getStatisticsByService'>) {}

  /** @throws ServiceNotAllowed */
  async of(caller: Caller, query: StatisticsQuery): Promise<StatisticsBody> {
    const services = servicesAsked(caller, query.serviceName);
    const period = defined({
      from: query.createdFrom === undefined ? undefined : new Date(query.createdFrom),
      to: query.createdTo === undefined ? undefined : new Date(query.createdTo),
    });
    const parts = await Promise.all(
      services.map((service) => this.store.getStatisticsByService(service, period, query.tenantId)),
    );
    const { total, byType, byStatus, processing } = sum(parts);
    const [only, ...others] = services;
    return {
      serviceName: only !== undefined && others.length === 0 ? only : null,
      createdFrom: utc(query.createdFrom),
      createdTo: utc(query.createdTo),
      total,
      byType,
      byStatus,
      successRate: ratio(100 * byStatus.sent, byStatus.sent + byStatus.failed),
      meanProcessingMs: ratio(processing.sumMs, processing.count),
    };
  }
}
