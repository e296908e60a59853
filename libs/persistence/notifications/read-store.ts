import { Types } from 'mongoose';
import { STATUSES, type Status, TYPES, type NotificationType } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';
import type { ListedNotification, NotificationFilter, Position, ReadStore, Statistics } from '#queries/ports';
import type { Databases } from '../databases.js';
import { newestFirst } from '../schema.js';
import { fromDocument } from './document.js';
import { findOne } from './find-one.js';
import { byAge, LISTED, newest } from './newest.js';
import { rangeOfBulk } from './of-bulk.js';
import { type NotificationDocument, notifications } from './schema.js';

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
            newest(collection, { ...filter, serviceName: service }, limit, after),
          ),
        ),
    );
    return pages.flat().sort(byAge).slice(0, limit).map(fromDocument);
  }

  findUnreadByUser(userId: string, serviceName: string, limit = 20): Promise<ListedNotification[]> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const unread = await collection
        .aggregate<NotificationDocument>([
          // By state, which is no reason to take the index of all that was sent.
          { $match: { userId, state: 'sent', readAt: null } },
          { $sort: newestFirst },
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
              sumMs: {
                $sum: {
                  $cond: [
                    { $gt: ['$sentAt', null] },
                    { $dateDiff: { startDate: '$createdAt', endDate: '$sentAt', unit: 'millisecond' } },
                    0,
                  ],
                },
              },
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

  pendingOfBulk(serviceName: string, bulkId: string, limit: number, afterId: string | null): Promise<Notification[]> {
    const range = rangeOfBulk(bulkId);
    if (range === null) return Promise.resolve([]);
    const _id = afterId === null ? range : { $gt: Types.ObjectId.createFromHexString(afterId), $lte: range.$lte };
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const found = await collection
        .find({ _id, bulkId, status: 'pending' }, { sort: { _id: 1 }, limit, batchSize: limit + 1 })
        .toArray();
      return found.map(fromDocument);
    });
  }

  countBulk(serviceName: string, bulkId: string): Promise<Record<Status, number>> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const groups = await collection
        .aggregate<{ _id: Status; total: number }>([
          // Nothing else lies there, and to compare `bulkId` as well would take as long again.
          { $match: { _id: rangeOfBulk(bulkId) ?? { $in: [] } } },
          { $group: { _id: '$status', total: { $sum: 1 } } },
        ])
        .toArray();
      const counts = zero(STATUSES);
      for (const { _id, total } of groups) counts[_id] = total;
      return counts;
    });
  }
}
