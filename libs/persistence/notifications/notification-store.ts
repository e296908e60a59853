import type { mongo } from 'mongoose';
import type { Outbox } from '#domain/accepted';
import type { Change } from '#domain/change';
import type { Notification, Transition } from '#domain/notification';
import { statusOf } from '#domain/states';
import type { NotificationStore } from '#lifecycle/ports';
import type { Databases } from '../databases.js';
import { append, increment, NOW, NOW_IN_FALLBACK, REMOVE } from '../expressions.js';
import { objectIdOf } from '../schema.js';
import { fromDocument } from './document.js';
import { findOne } from './find-one.js';
import { ofBulk } from './of-bulk.js';
import { notifications } from './schema.js';

export class MongoNotificationStore implements NotificationStore {
  constructor(private readonly databases: Databases) {}

  find(id: string, services: Iterable<string>): Promise<Notification | null> {
    return findOne(this.databases, id, services);
  }

  async change(change: Change): Promise<Notification | null> {
    const _id = objectIdOf(change.id);
    if (_id === null) return null;
    const document = await this.databases.inService(change.serviceName, notifications, (collection) =>
      collection.findOneAndUpdate({ _id, version: change.version }, [{ $set: written(change) }], {
        returnDocument: 'after',
      }),
    );
    return document === null ? null : fromDocument(document);
  }

  cancelOfBulk(serviceName: string, bulkId: string, transition: Omit<Transition, 'from'>): Promise<number> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const { modifiedCount } = await collection.updateMany(
        { ...ofBulk(bulkId), status: 'pending', state: { $in: ['draft', 'approved'] } },
        [{ $set: cancelled(transition) }],
      );
      return modifiedCount;
    });
  }
}

const written = (change: Change): mongo.Document => {
  const { state, transition, set, outbox } = change;
  const fields = Object.entries(set).map(([name, value]) => [name, value === null ? REMOVE : { $literal: value }]);
  return {
    // Whoever held it does not any more.
    ...(state === undefined ? {} : { lease: REMOVE }),
    ...(Object.fromEntries(fields) as mongo.Document),
    ...(state === undefined ? {} : { state, status: statusFrom(state) }),
    ...(transition === undefined ? {} : { history: append('$history', { $literal: transition }) }),
    version: increment('$version'),
    updatedAt: NOW,
    groupDueAt: NOW_IN_FALLBACK,
    outbox: owedWith(outbox, state !== undefined),
  };
};

const statusFrom = (state: NonNullable<Change['state']>): unknown =>
  state === 'expired'
    ? { $cond: [{ $gt: ['$approvedAt', null] }, statusOf(state, true), statusOf(state, false)] }
    : statusOf(state, true);

/**
 * Adds to what was owed before and told to nobody yet. A transition overtakes the wake and the dead letter of the state
 * that it leaves, but not the status: the receivers still stand where they were told last.
 */
const owedWith = (outbox: Outbox | null, isTransition: boolean): unknown => {
  const added = outbox ?? { at: null, wake: false, status: false, previousStatus: null, deadLetter: false };
  const kept = (path: string, value: boolean): unknown =>
    value || isTransition ? { $literal: value } : { $ifNull: [path, false] };
  const merged = {
    at: outbox === null ? '$outbox.at' : { $min: [{ $ifNull: ['$outbox.at', added.at] }, added.at] },
    wake: kept('$outbox.wake', added.wake),
    status: { $or: [added.status, '$outbox.status'] },
    previousStatus: { $cond: ['$outbox.status', '$outbox.previousStatus', { $literal: added.previousStatus }] },
    deadLetter: kept('$outbox.deadLetter', added.deadLetter),
  };
  const owesNothingNew = !added.wake && !added.status && !added.deadLetter;
  if (!owesNothingNew) return merged;
  return { $cond: [isTransition ? '$outbox.status' : { $gt: ['$outbox', null] }, merged, REMOVE] };
};

const cancelled = ({ to, at, actor, reason }: Omit<Transition, 'from'>): mongo.Document => ({
  state: to,
  status: statusOf(to, true),
  version: increment('$version'),
  updatedAt: NOW,
  waiting: REMOVE,
  nextAttemptAt: REMOVE,
  deliveries: {
    $map: {
      input: { $ifNull: ['$deliveries', []] },
      as: 'one',
      in: {
        $mergeObjects: ['$$one', { status: { $cond: [{ $eq: ['$$one.status', 'open'] }, 'failed', '$$one.status'] } }],
      },
    },
  },
  history: append('$history', { from: '$state', to, at, actor: { $literal: actor }, reason: { $literal: reason } }),
  outbox: {
    at: NOW,
    wake: { $literal: false },
    status: { $literal: true },
    previousStatus: { $cond: ['$outbox.status', '$outbox.previousStatus', 'pending'] },
    deadLetter: { $literal: false },
  },
});
