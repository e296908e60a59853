import { mongo } from 'mongoose';
import type {
  ChangesAsked,
  InboxChange,
  InboxChanges,
  InboxDeposits,
  InboxItem,
  InboxStore,
  NewInboxItem,
  Reader,
} from '#inbox/ports';
import { REMEMBERED_MS } from '#inbox/ports';
import type { ReadItem, ReadItems } from '#upkeep/ports';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { increment, later, NOW, setIf } from '../expressions.js';
import { packJson, unpackJson } from '../free-json.js';
import { inbox, type InboxDocument } from './schema.js';

type Filter = mongo.Filter<InboxDocument>;

const newestFirst = { createdAt: -1, _id: -1 } as const;

const present = ({ tenantId, userId }: Reader): Filter => ({ userId, tenantId, gone: false });

export class MongoInboxStore implements InboxStore, InboxDeposits, InboxChanges, ReadItems {
  constructor(private readonly databases: Databases) {}

  async deposit(items: readonly NewInboxItem[]): Promise<void> {
    const byService = Map.groupBy(items, ({ serviceName }) => serviceName);
    await Promise.all([...byService].map(([serviceName, own]) => this.depositIn(serviceName, own)));
  }

  list(
    reader: Reader,
    { unread }: { unread: boolean },
    limit: number,
    after: { createdAt: Date; id: string } | null,
  ): Promise<InboxItem[]> {
    return this.in(reader, async (collection) => {
      const filter = { ...present(reader), ...(unread ? { unread: true } : {}), ...behind(after) };
      const found = await collection.find(filter, { sort: newestFirst, limit, batchSize: limit + 1 }).toArray();
      return found.map(itemOf);
    });
  }

  countUnread(reader: Reader): Promise<number> {
    return this.in(reader, async (collection) => {
      const [counted] = await collection
        .aggregate<{ total: number }>([
          { $match: { ...present(reader), unread: true, ...behind(null) } },
          { $count: 'total' },
        ])
        .toArray();
      return counted?.total ?? 0;
    });
  }

  mark(reader: Reader, id: string, read: boolean): Promise<InboxItem | null> {
    return this.in(reader, async (collection) => {
      const found = await collection.findOneAndUpdate(
        { _id: id, ...present(reader), ...behind(null) },
        setIf({ $ne: ['$unread', !read] }, { ...marked(read), ...(read ? OWES_READ : {}) }),
        { returnDocument: 'after' },
      );
      return found === null ? null : itemOf(found);
    });
  }

  markAllRead(reader: Reader, upTo: Date | null): Promise<number> {
    return this.in(reader, async (collection) => {
      const bound = upTo === null ? behind(null) : { createdAt: { $lte: upTo } };
      const { modifiedCount } = await collection.updateMany({ ...present(reader), unread: true, ...bound }, [
        { $set: { ...marked(true), ...OWES_READ } },
      ]);
      return modifiedCount;
    });
  }

  remove(reader: Reader, id: string): Promise<boolean> {
    return this.in(reader, async (collection) => {
      const { matchedCount } = await collection.updateOne({ _id: id, ...present(reader), ...behind(null) }, [
        {
          $set: {
            gone: true,
            unread: false,
            title: null,
            body: '',
            data: { $literal: {} },
            version: increment('$version'),
            changedAt: NOW,
            expiresAt: later(NOW, REMEMBERED_MS),
          },
        },
      ]);
      return matchedCount > 0;
    });
  }

  /** Items of one notification have ids that begin with its own. */
  async markReadOf(serviceName: string, notificationId: string): Promise<Reader[]> {
    const unread: Filter = { _id: { $gte: `${notificationId}-`, $lt: `${notificationId}.` }, unread: true };
    return this.databases.inService(serviceName, inbox, async (collection) => {
      const found = await collection.find(unread, { projection: { userId: 1, tenantId: 1 } }).toArray();
      if (found.length > 0) await collection.updateMany(unread, [{ $set: marked(true) }]);
      return found.map(({ userId, tenantId }) => ({ serviceName, tenantId, userId }));
    });
  }

  async readItems(serviceName: string, limit: number): Promise<ReadItem[]> {
    const found = await this.databases.inService(serviceName, inbox, (collection) =>
      collection
        .find(
          { readOwed: { $exists: true } },
          { sort: { readOwed: 1 }, limit, batchSize: limit + 1, projection: { notificationId: 1, readOwed: 1 } },
        )
        .toArray(),
    );
    return found.flatMap(({ _id, notificationId, readOwed }) =>
      readOwed === undefined ? [] : [{ id: _id, notificationId, readAt: readOwed }],
    );
  }

  async readTold(serviceName: string, { id, readAt }: ReadItem): Promise<void> {
    await this.databases.inService(serviceName, inbox, (collection) =>
      collection.updateOne({ _id: id, readOwed: readAt }, { $unset: { readOwed: '' } }),
    );
  }

  now(): Promise<Date> {
    return this.databases.now();
  }

  async changes(serviceName: string, asked: readonly ChangesAsked[], limit: number): Promise<InboxChange[]> {
    if (!this.databases.has(serviceName) || asked.length === 0) return [];
    const earliest = new Date(Math.min(...asked.map(({ from }) => from.getTime())));
    const found = await this.databases.inService(serviceName, inbox, (collection) =>
      collection
        .find(
          { userId: { $in: [...new Set(asked.map(({ reader }) => reader.userId))] }, changedAt: { $gte: earliest } },
          { sort: { changedAt: 1 }, limit, batchSize: limit + 1 },
        )
        .toArray(),
    );
    return found.map((document) => changeOf(serviceName, document));
  }

  /**
   * Inserts, then stamps with the time of the database: a dispatcher's own clock, or a pause of it, would hide an item
   * from streams that have come further already. A deposit that died between the two is stamped by its repetition.
   */
  private async depositIn(serviceName: string, items: readonly NewInboxItem[]): Promise<void> {
    const documents = items.map(documentOf);
    await this.databases.inService(serviceName, inbox, async (collection) => {
      try {
        await collection.insertMany(documents, { ordered: false, ignoreUndefined: true });
      } catch (error) {
        if (!isRepeated(error)) throw error;
      }
      await collection.updateMany({ _id: { $in: documents.map(({ _id }) => _id) }, changedAt: { $exists: false } }, [
        { $set: { createdAt: NOW, changedAt: NOW } },
      ]);
    });
  }

  private in<R>(reader: Reader, work: (collection: mongo.Collection<InboxDocument>) => Promise<R>): Promise<R> {
    return this.databases.inService(reader.serviceName, inbox, work);
  }
}

/** Whether all that went wrong is that some were there already. */
const isRepeated = (error: unknown): boolean =>
  error instanceof mongo.MongoBulkWriteError
    ? [error.writeErrors].flat().length > 0 && [error.writeErrors].flat().every(({ code }) => code === 11000)
    : isDuplicateKey(error);

/** What lies behind a place in the order newest first; of what is stamped. */
const behind = (place: { createdAt: Date; id: string } | null): Filter =>
  place === null
    ? { createdAt: { $gte: new Date(0) } }
    : {
        createdAt: { $lte: place.createdAt, $gte: new Date(0) },
        $or: [{ createdAt: { $lt: place.createdAt } }, { _id: { $lt: place.id } }],
      };

const marked = (read: boolean): mongo.Document => ({
  unread: !read,
  readAt: read ? NOW : null,
  version: increment('$version'),
  changedAt: NOW,
});

/** Its notification is to be told, by the scheduler; once, however often it is marked until then. */
const OWES_READ = { readOwed: { $ifNull: ['$readOwed', NOW] } };

const documentOf = (item: NewInboxItem): InboxDocument => ({
  _id: item.id,
  notificationId: item.notificationId,
  tenantId: item.tenantId,
  userId: item.userId,
  type: item.type,
  priority: item.priority,
  title: item.title,
  body: item.body,
  data: packJson(item.data),
  reference: item.reference,
  groupId: item.groupId,
  version: 1,
  readAt: null,
  unread: true,
  gone: false,
  expiresAt: item.expiresAt,
});

const itemOf = (document: InboxDocument): InboxItem => ({
  id: document._id,
  notificationId: document.notificationId,
  type: document.type,
  priority: document.priority,
  title: document.title,
  body: document.body,
  data: unpackJson(document.data),
  reference: document.reference,
  groupId: document.groupId,
  version: document.version,
  createdAt: document.createdAt ?? new Date(0),
  readAt: document.readAt,
});

const changeOf = (serviceName: string, document: InboxDocument): InboxChange => ({
  reader: { serviceName, tenantId: document.tenantId, userId: document.userId },
  id: document._id,
  version: document.version,
  changedAt: document.changedAt ?? new Date(0),
  item: document.gone ? null : itemOf(document),
});
