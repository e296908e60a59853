import type { mongo } from 'mongoose';
import { STATUSES, type Status, TYPES, type NotificationType } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';
import type { ListedNotification, NotificationFilter, Position, ReadStore, Statistics } from '#queries/ports';
import type { Databases } from '../databases.js';
import { objectIdOf } from '../schema.js';
import { fromDocument } from './document.js';
import { findOne } from './find-one.js';
import { type NotificationDocument, notifications } from './schema.js';

type Filter = mongo.Filter<NotificationDocument>;

/** What a list does not show: the long, the private, and what is ours. */
const LISTED = {
  body: 0,
  html: 0,
  data: 0,
  to: 0,
  'deliveries.target': 0,
  'deliveries.attempts': 0,
  history: 0,
  idempotency: 0,
  outbox: 0,
} as const;

const zero = <T extends string>(names: readonly T[]): Record<T, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;

export class MongoReadStore implements ReadStore {
  constructor(private readonly databases: Databases) {}

  find(id: string, services: Iterable<string>): Promise<Notification | null> {
    return findOne(this.databases, id, services);
  }

  async list(filter: NotificationFilter, limit: number, after: Position | null): Promise<ListedNotification[]> {
    const pages = await Promise.all(
      this.databases
        .known(filter.services)
        .map((service) =>
          this.databases.inService(service, notifications, (collection) =>
            newest(collection, { ...conditions(filter), serviceName: service }, periodOf(filter, after), limit, after),
          ),
        ),
    );
    return pages.flat().sort(newestFirst).slice(0, limit).map(fromDocument);
  }

  findUnreadByUser(userId: string, serviceName: string, limit = 20): Promise<ListedNotification[]> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const unread = await collection
        .aggregate<NotificationDocument>([
          { $match: { userId, status: 'sent', readAt: null } },
          { $sort: { createdAt: -1, _id: -1 } },
          { $limit: limit },
          { $project: LISTED },
        ])
        .toArray();
      return unread.map(fromDocument);
    });
  }

  getStatisticsByService(
    serviceName: string,
    period: { from?: Date; to?: Date },
    tenantId?: string,
  ): Promise<Statistics> {
    const createdAt = { $gte: period.from ?? new Date(0), ...(period.to === undefined ? {} : { $lt: period.to }) };
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const groups = await collection
        .aggregate<{
          _id: { type: NotificationType; status: Status };
          total: number;
          sent: number;
          sumMs: number;
        }>([
          { $match: { createdAt, serviceName, ...(tenantId === undefined ? {} : { tenantId }) } },
          {
            $group: {
              _id: { type: '$type', status: '$status' },
              total: { $sum: 1 },
              sent: { $sum: { $cond: [{ $gt: ['$sentAt', null] }, 1, 0] } },
              sumMs: { $sum: { $cond: [{ $gt: ['$sentAt', null] }, { $subtract: ['$sentAt', '$createdAt'] }, 0] } },
            },
          },
        ])
        .toArray();
      const statistics: Statistics = {
        total: 0,
        byType: zero(TYPES),
        byStatus: zero(STATUSES),
        processing: { sumMs: 0, count: 0 },
      };
      for (const { _id, total, sent, sumMs } of groups) {
        statistics.total += total;
        statistics.byType[_id.type] += total;
        statistics.byStatus[_id.status] += total;
        statistics.processing.sumMs += Number(sumMs);
        statistics.processing.count += sent;
      }
      return statistics;
    });
  }

  countByStatusAndService(status: Status, serviceName: string, from: Date, to: Date): Promise<number> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const [counted] = await collection
        .aggregate<{ total: number }>([
          { $match: { status, serviceName, createdAt: { $gte: from, $lt: to } } },
          { $count: 'total' },
        ])
        .toArray();
      return counted?.total ?? 0;
    });
  }

  countBulk(serviceName: string, bulkId: string): Promise<Record<Status, number>> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const groups = await collection
        .aggregate<{ _id: Status; total: number }>([
          { $match: { bulkId } },
          { $group: { _id: '$status', total: { $sum: 1 } } },
        ])
        .toArray();
      const counts = zero(STATUSES);
      for (const { _id, total } of groups) counts[_id] = total;
      return counts;
    });
  }
}

const conditions = (filter: NotificationFilter): Filter => {
  const { userId, tenantId, reference, bulkId, groupId } = filter;
  const equal = Object.entries({ userId, tenantId, reference, bulkId, groupId }).filter(
    ([, value]) => value !== undefined,
  );
  const { status, state, channel, type } = filter;
  const among = Object.entries({ status, state, channel, type }).flatMap(([name, values]) =>
    values === undefined ? [] : [[name, values.length === 1 ? values[0] : { $in: values }] as const],
  );
  return Object.fromEntries<unknown>([...equal, ...among]);
};

/** Always with a bound, so that there is an index for the order even where nothing else is asked. */
const periodOf = ({ createdFrom, createdTo }: NotificationFilter, after: Position | null): mongo.Document => {
  const to =
    after === null || (createdTo !== undefined && createdTo <= after.createdAt)
      ? createdTo === undefined
        ? {}
        : { $lt: createdTo }
      : { $lte: after.createdAt };
  return { $gte: createdFrom ?? new Date(0), ...to };
};

const newestFirst = (a: NotificationDocument, b: NotificationDocument): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a._id.toHexString() < b._id.toHexString() ? 1 : -1);

/**
 * One page of one database in the order (createdAt, _id). The indexes know only createdAt, which spares every insert a
 * longer key: where the page ends among several of the same time, those are read once more, in the order of `_id`.
 */
const newest = async (
  collection: mongo.Collection<NotificationDocument>,
  where: Filter,
  period: mongo.Document,
  limit: number,
  after: Position | null,
): Promise<NotificationDocument[]> => {
  const options = { limit, batchSize: limit + 1, projection: LISTED };
  const afterId = after === null ? null : objectIdOf(after.id);
  const place: Filter =
    after === null || afterId === null
      ? {}
      : { $or: [{ createdAt: { $lt: after.createdAt } }, { _id: { $lt: afterId } }] };
  const page = await collection
    .find({ ...where, ...place, createdAt: period }, { ...options, sort: { createdAt: -1 } })
    .toArray();
  const last = page.at(-1);
  if (page.length < limit || last === undefined) return page;
  const alike = await collection
    .find({ ...where, ...place, createdAt: last.createdAt }, { ...options, sort: { _id: -1 } })
    .toArray();
  return [...page.filter(({ createdAt }) => createdAt > last.createdAt), ...alike];
};
