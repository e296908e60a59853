import { type mongo, Types } from 'mongoose';
import type { DeadLetterStatus } from '#contracts/vocabulary';
import type { DeadLetter } from '#domain/dead-letter';
import type { DeadLetterFilter, DeadLetterStore } from '#lifecycle/ports';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { append, NOW } from '../expressions.js';
import { newestFirst, objectIdOf, olderThan } from '../schema.js';
import { type DeadLetterDocument, deadLetters } from './schema.js';

/** Who closes what a notification left behind, in the record of moves. */
const BY_NOTIFICATION = 'notification';

export class MongoDeadLetterStore implements DeadLetterStore {
  constructor(private readonly databases: Databases) {}

  record({ id, ...rest }: DeadLetter): Promise<boolean> {
    const document: DeadLetterDocument = {
      _id: Types.ObjectId.createFromHexString(id),
      ...rest,
      subject: subjectOf({ id, ...rest }),
      moves: [],
    };
    return this.databases.inControl(deadLetters, async (collection) => {
      try {
        await collection.insertOne(document);
        return true;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      // Ours, when the connection was lost after it was written.
      const standing = await collection.findOne({ subject: document.subject }, { projection: { _id: 1 } });
      return standing?._id.equals(document._id) ?? false;
    });
  }

  async find(id: string): Promise<DeadLetter | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    const found = await this.databases.inControl(deadLetters, (collection) => collection.findOne({ _id }));
    return found === null ? null : deadLetterOf(found);
  }

  async move(
    id: string,
    from: readonly DeadLetterStatus[],
    to: DeadLetterStatus,
    actor: string,
  ): Promise<DeadLetter | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    const moved = await this.databases.inControl(deadLetters, (collection) =>
      collection.findOneAndUpdate({ _id, status: { $in: [...from] } }, moveTo(to, actor), { returnDocument: 'after' }),
    );
    return moved === null ? null : deadLetterOf(moved);
  }

  async page(
    filter: DeadLetterFilter,
    limit: number,
    before: { createdAt: Date; id: string } | null,
  ): Promise<DeadLetter[]> {
    const { createdFrom, createdTo, status, channel, class: errorClass } = filter;
    const conditions: mongo.Filter<DeadLetterDocument>[] = [
      { serviceName: filter.serviceName ?? { $in: [...filter.services, null] } },
      ...(filter.serviceName === undefined || filter.services.has(filter.serviceName) ? [] : [{ _id: { $in: [] } }]),
      ...(createdFrom === undefined ? [] : [{ createdAt: { $gte: createdFrom } }]),
      ...(createdTo === undefined ? [] : [{ createdAt: { $lt: createdTo } }]),
      ...(status === undefined ? [] : [{ status }]),
      ...(channel === undefined ? [] : [{ channel }]),
      ...(errorClass === undefined ? [] : [{ class: errorClass }]),
    ];
    const found = await this.databases.inControl(deadLetters, (collection) =>
      collection
        .find({ ...olderThan(before), $and: conditions }, { sort: newestFirst, limit, batchSize: limit + 1 })
        .toArray(),
    );
    return found.map(deadLetterOf);
  }

  async due(limit: number): Promise<DeadLetter[]> {
    const now = await this.databases.now();
    const found = await this.databases.inControl(deadLetters, (collection) =>
      collection
        .find(
          { status: 'waiting', retryAt: { $gt: new Date(0), $lte: now } },
          { sort: { retryAt: 1 }, limit, batchSize: limit + 1 },
        )
        .toArray(),
    );
    return found.map(deadLetterOf);
  }

  async closeFor(notificationId: string, round: number, to: DeadLetterStatus): Promise<void> {
    await this.databases.inControl(deadLetters, (collection) =>
      collection.updateOne(
        { subject: subjectOfRound(notificationId, round), status: { $in: ['waiting', 'archived'] } },
        moveTo(to, BY_NOTIFICATION),
      ),
    );
  }
}

const moveTo = (to: DeadLetterStatus, actor: string): mongo.Document[] => [
  {
    $set: {
      status: to,
      updatedAt: NOW,
      ...(to === 'waiting' ? {} : { retryAt: { $literal: null } }),
      moves: append('$moves', { from: '$status', to, at: NOW, actor: { $literal: actor } }),
    },
  },
];

const subjectOfRound = (notificationId: string, round: number): string => `notification:${notificationId}:${round}`;

/** A message id is its producer's own; a message without one is like no other. */
const subjectOf = ({ id, notificationId, round, queue, message }: DeadLetter): string => {
  if (notificationId !== null) return subjectOfRound(notificationId, round ?? 0);
  if (message?.messageId == null) return `dead-letter:${id}`;
  return `message:${queue ?? ''}:${message.userId ?? ''}:${message.messageId}`;
};

const deadLetterOf = ({ _id, subject: _subject, moves: _moves, ...rest }: DeadLetterDocument): DeadLetter => ({
  id: _id.toHexString(),
  ...rest,
});
