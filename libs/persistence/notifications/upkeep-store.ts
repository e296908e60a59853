import type { mongo } from 'mongoose';
import { type Channel, ERROR_CLASSES, type Lane, type State } from '#contracts/vocabulary';
import { canRecover } from '#domain/dead-letter';
import type { Notification } from '#domain/notification';
import type { ClaimedItems, OwedClaim, OwedNotification, UpkeepStore } from '#upkeep/ports';
import type { Databases } from '../databases.js';
import { NOW } from '../expressions.js';
import { objectIdsOf } from '../schema.js';
import { fromDocument } from './document.js';
import { type NotificationDocument, notifications } from './schema.js';

type Filter = mongo.Filter<NotificationDocument>;

const MS_PER_HOUR = 3_600_000;
/** What is read at a time where some of it may not be wanted, and how often at the most. */
const PAGE = 1_000;
const MAX_PAGES = 10;

/** Compares with the database's clock as read before the query: a constant is what an index can be asked for. */
export class MongoUpkeepStore implements UpkeepStore, ClaimedItems {
  constructor(private readonly databases: Databases) {}

  async findOwed(serviceName: string, limit: number): Promise<OwedNotification[]> {
    const now = await this.now();
    const owed = await this.find(serviceName, { 'outbox.at': { $lte: now } }, { 'outbox.at': 1 }, limit);
    return owed.flatMap((document) => {
      const outbox = document.outbox as OwedNotification['outbox'] | undefined;
      return outbox === undefined ? [] : [{ notification: fromDocument(document), outbox }];
    });
  }

  async nextOwedInMs(serviceName: string, withinMs: number): Promise<number | null> {
    const now = await this.now();
    const [next] = await this.databases.inService(serviceName, notifications, (collection) =>
      collection
        .find(
          { 'outbox.at': { $lte: new Date(now.getTime() + withinMs) } },
          { sort: { 'outbox.at': 1 }, limit: 1, projection: { 'outbox.at': 1 } },
        )
        .toArray(),
    );
    return next?.outbox === undefined ? null : next.outbox.at.getTime() - now.getTime();
  }

  oweWakeAgain(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date, limit: number): Promise<number> {
    const lost = waitingIn(channel, lane, { $lt: dueBefore });
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const found = await collection
        .find(lost, { sort: { nextAttemptAt: 1 }, limit, batchSize: limit + 1, projection: { _id: 1 } })
        .toArray();
      if (found.length === 0) return 0;
      const { modifiedCount } = await collection.updateMany({ ...lost, _id: { $in: found.map(({ _id }) => _id) } }, [
        { $set: { outbox: WAKE_NOW } },
      ]);
      return modifiedCount;
    });
  }

  async oldestWaiting(serviceName: string, channel: Channel, lane: Lane, dueBefore: Date): Promise<Date | null> {
    const [oldest] = await this.databases.inService(serviceName, notifications, (collection) =>
      collection
        .find(waitingIn(channel, lane, { $lt: dueBefore }), {
          sort: { nextAttemptAt: 1 },
          limit: 1,
          projection: { nextAttemptAt: 1 },
        })
        .toArray(),
    );
    return oldest?.nextAttemptAt ?? null;
  }

  async claimedUnder({ serviceName, ids, token }: OwedClaim): Promise<Notification[]> {
    const claimed = await this.find(
      serviceName,
      { _id: { $in: objectIdsOf(ids) }, 'lease.token': token },
      { _id: 1 },
      ids.length,
    );
    return claimed.map(fromDocument);
  }

  async findStale(serviceName: string, graceMs: number, limit: number): Promise<Notification[]> {
    const ended = new Date((await this.now()).getTime() - graceMs);
    const stale = await this.find(
      serviceName,
      { state: 'sending', 'lease.until': { $lte: ended } },
      { 'lease.until': 1 },
      limit,
    );
    return stale.map(fromDocument);
  }

  async findExpirable(serviceName: string, olderThan: Date, limit: number): Promise<Notification[]> {
    const now = await this.now();
    const [past, old] = await Promise.all([
      this.inStates(serviceName, 'expiresAt', { status: 'pending' }, { $lte: now }, ['draft', 'approved'], limit),
      this.inStates(
        serviceName,
        'createdAt',
        { status: 'pending', serviceName },
        { $lt: olderThan },
        ['draft', 'approved', 'uncertain'],
        limit,
      ),
    ]);
    const both = new Map([...past, ...old].map((document) => [document._id.toHexString(), document]));
    return [...both.values()]
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
      .slice(0, limit)
      .map(fromDocument);
  }

  async findFailedNotificationsOlderThan(serviceName: string, hours: number, limit: number): Promise<Notification[]> {
    const before = new Date((await this.now()).getTime() - hours * MS_PER_HOUR);
    const failed = await this.find(
      serviceName,
      { ...AWAITS_AUTOMATIC_RETRY, failedAt: { $lte: before } },
      { failedAt: 1 },
      limit,
    );
    return failed.map(fromDocument);
  }

  deleteFinalBefore(serviceName: string, before: Date, limit: number): Promise<number> {
    const final = finalBefore(before);
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const found = await collection
        .find(final, { sort: { createdAt: 1 }, limit, batchSize: limit + 1, projection: { _id: 1 } })
        .toArray();
      if (found.length === 0) return 0;
      const { deletedCount } = await collection.deleteMany({ ...final, _id: { $in: found.map(({ _id }) => _id) } });
      return deletedCount;
    });
  }

  countFinalBefore(serviceName: string, before: Date, limit: number): Promise<number> {
    return this.databases.inService(serviceName, notifications, (collection) =>
      collection.countDocuments(finalBefore(before), { limit }),
    );
  }

  now(): Promise<Date> {
    return this.databases.now();
  }

  /** The earliest by a time. The states are looked at here: to ask for them keeps some servers from using the bound. */
  private async inStates(
    serviceName: string,
    time: 'expiresAt' | 'createdAt',
    equal: Filter,
    bound: { $lt: Date } | { $lte: Date },
    states: readonly State[],
    limit: number,
  ): Promise<NotificationDocument[]> {
    const found = new Map<string, NotificationDocument>();
    let from = new Date(0);
    for (let page = 0; page < MAX_PAGES && found.size < limit; page += 1) {
      const documents = await this.find(
        serviceName,
        { ...equal, [time]: { $gte: from, ...bound } },
        { [time]: 1 },
        Math.max(limit, PAGE),
      );
      for (const document of documents)
        if (states.includes(document.state)) found.set(document._id.toHexString(), document);
      const last = documents.at(-1)?.[time];
      if (documents.length < Math.max(limit, PAGE) || last === undefined) break;
      from = last;
    }
    return [...found.values()].slice(0, limit);
  }

  private find(
    serviceName: string,
    filter: Filter,
    sort: Record<string, 1 | -1>,
    limit: number,
  ): Promise<NotificationDocument[]> {
    return this.databases.inService(serviceName, notifications, (collection) =>
      collection.find(filter, { sort, limit, batchSize: limit + 1 }).toArray(),
    );
  }
}

/** What `awaitsAutomaticRetry` in domain says. */
const AWAITS_AUTOMATIC_RETRY: Filter = {
  state: 'failed',
  round: 1,
  retryForbidden: { $ne: true },
  'lastError.class': { $in: ERROR_CLASSES.filter(canRecover) },
};

/** What `isFinal` in domain says, and owes nothing to the broker any more. */
const finalBefore = (before: Date): Filter => ({
  createdAt: { $lt: before },
  status: { $ne: 'pending' },
  'outbox.at': { $exists: false },
  $nor: [AWAITS_AUTOMATIC_RETRY],
});

const waitingIn = (channel: Channel, lane: Lane, nextAttemptAt: { $lt: Date } | { $lte: Date }): Filter => ({
  state: 'approved',
  channel,
  lane,
  nextAttemptAt,
  'outbox.at': { $exists: false },
});

const WAKE_NOW = {
  at: NOW,
  wake: { $literal: true },
  status: { $literal: false },
  previousStatus: { $literal: null },
  deadLetter: { $literal: false },
};
