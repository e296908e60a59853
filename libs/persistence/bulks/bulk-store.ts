import { randomUUID } from 'node:crypto';
import { mongo, Types } from 'mongoose';
import type { BulkRefusal, BulkStore, NewBulk } from '#acceptance/ports';
import type { BulkStatus } from '#contracts/vocabulary';
import type { BulkRecords } from '#lifecycle/ports';
import { RELAY_GRACE_MS } from '#domain/change';
import type { BulkReader, BulkRecord, BulkRefusalRecord } from '#queries/ports';
import type { BulkOutbox, OwedBulk } from '#upkeep/ports';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { later, NOW } from '../expressions.js';
import { objectIdOf } from '../schema.js';
import { type BulkDocument, bulkRefusals, bulks } from './schema.js';

type Begun = Awaited<ReturnType<BulkStore['begin']>>;
type Record = BulkRecord & { owner: string };

const ENDED: readonly BulkStatus[] = ['completed', 'cancelled'];

/** Bulks, and what was refused of them. */
export class MongoBulkStore implements BulkStore, BulkReader, BulkRecords, BulkOutbox {
  constructor(private readonly databases: Databases) {}

  async begin(bulk: NewBulk, leaseMs: number): Promise<Begun> {
    const token = randomUUID();
    try {
      await this.insert(bulk, token, leaseMs);
      return { kind: 'begun' };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const same: mongo.Filter<BulkDocument> =
      bulk.idempotency === null
        ? { _id: Types.ObjectId.createFromHexString(bulk.id) }
        : { 'idempotency.scope': bulk.idempotency.scope };
    const isFree = {
      $and: [{ $eq: ['$status', 'accepting'] }, { $lte: [{ $ifNull: ['$lease.until', new Date(0)] }, NOW] }],
    };
    const found = await this.databases.inControl(bulks, (collection) =>
      collection.findOneAndUpdate(
        same,
        [
          {
            $set: {
              lease: { $cond: [isFree, { token, until: later(NOW, leaseMs) }, '$lease'] },
              outbox: { $cond: [isFree, { at: later(NOW, RELAY_GRACE_MS) }, '$outbox'] },
            },
          },
        ],
        { returnDocument: 'after' },
      ),
    );
    // Forgotten or deleted between the two looks.
    if (found === null) return this.begin(bulk, leaseMs);
    const id = found._id.toHexString();
    const fingerprint = found.idempotency?.fingerprint ?? '';
    if (found.status !== 'accepting') return { kind: 'duplicate', id, fingerprint, standing: 'finished' };
    if (found.lease?.token !== token) return { kind: 'duplicate', id, fingerprint, standing: 'in_use' };
    return { kind: 'duplicate', id, fingerprint, standing: 'taken_over' };
  }

  async pause(id: string): Promise<void> {
    await this.databases.inControl(bulks, (collection) =>
      collection.updateOne(accepting(id), { $unset: { lease: '' } }),
    );
  }

  /** Can be repeated: refusals have ids of their own, and a bulk that runs already stays as it is. */
  async run(id: string, accepted: number, refusals: readonly BulkRefusal[]): Promise<void> {
    if (refusals.length > 0) await this.keep(id, refusals);
    await this.databases.inControl(bulks, (collection) =>
      collection.updateOne(accepting(id), {
        $set: { status: 'running', accepted, refused: refusals.length },
        $unset: { lease: '' },
      }),
    );
  }

  async told(id: string): Promise<void> {
    await this.databases.inControl(bulks, (collection) =>
      collection.updateOne(
        { _id: Types.ObjectId.createFromHexString(id), status: { $ne: 'accepting' } },
        { $unset: { outbox: '' } },
      ),
    );
  }

  async owed(limit: number): Promise<OwedBulk[]> {
    const now = await this.databases.now();
    const found = await this.databases.inControl(bulks, (collection) =>
      collection
        .find({ 'outbox.at': { $lte: now } }, { sort: { 'outbox.at': 1 }, limit, batchSize: limit + 1 })
        .toArray(),
    );
    return found.flatMap(({ _id, serviceName, status, lease, outbox }) => {
      if (outbox === undefined) return [];
      const grows = status === 'accepting' && lease !== undefined && lease.until > now;
      return [{ id: _id.toHexString(), serviceName, at: outbox.at, grows }];
    });
  }

  async toldUntil({ id, at }: OwedBulk, again: Date | null): Promise<void> {
    await this.databases.inControl(bulks, (collection) =>
      collection.updateOne(
        { _id: Types.ObjectId.createFromHexString(id), 'outbox.at': at },
        again === null ? { $unset: { outbox: '' } } : { $set: { outbox: { at: again } } },
      ),
    );
  }

  async forget(id: string): Promise<void> {
    await this.databases.inControl(bulks, (collection) => collection.deleteOne(accepting(id)));
  }

  async find(id: string): Promise<Record | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    const found = await this.databases.inControl(bulks, (collection) => collection.findOne({ _id }));
    return found === null ? null : recordOf(found);
  }

  async refusals(id: string, limit: number, afterIndex: number): Promise<BulkRefusalRecord[]> {
    const found = await this.databases.inControl(bulkRefusals, (collection) =>
      collection
        .find({ bulkId: id, index: { $gt: afterIndex } }, { sort: { index: 1 }, limit, batchSize: limit + 1 })
        .toArray(),
    );
    return found.map(({ index, reference, errors }) => ({ index, reference, errors }));
  }

  async move(id: string, from: readonly BulkStatus[], to: BulkStatus, at: Date): Promise<Record | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    const moved = await this.databases.inControl(bulks, (collection) =>
      collection.findOneAndUpdate(
        { _id, status: { $in: [...from] } },
        { $set: { status: to, ...(ENDED.includes(to) ? { completedAt: at } : {}) } },
        { returnDocument: 'after' },
      ),
    );
    return moved === null ? null : recordOf(moved);
  }

  async open(limit: number): Promise<Record[]> {
    const found = await this.databases.inControl(bulks, (collection) =>
      collection
        .find({ status: { $in: ['running', 'cancelling'] } }, { sort: { createdAt: 1 }, limit, batchSize: limit + 1 })
        .toArray(),
    );
    return found.map(recordOf);
  }

  private async insert(bulk: NewBulk, token: string, leaseMs: number): Promise<void> {
    const { id, idempotency, ...rest } = bulk;
    const now = await this.databases.now();
    await this.databases.inControl(bulks, (collection) =>
      collection.insertOne({
        _id: Types.ObjectId.createFromHexString(id),
        ...rest,
        status: 'accepting',
        accepted: 0,
        refused: 0,
        createdAt: now,
        completedAt: null,
        ...(idempotency === null ? {} : { idempotency }),
        lease: { token, until: new Date(now.getTime() + leaseMs) },
        outbox: { at: new Date(now.getTime() + RELAY_GRACE_MS) },
      }),
    );
  }

  private async keep(id: string, refusals: readonly BulkRefusal[]): Promise<void> {
    const createdAt = await this.databases.now();
    const documents = refusals.map(({ index, reference, errors }) => ({
      _id: `${id}:${index}`,
      bulkId: id,
      index,
      reference,
      errors,
      createdAt,
    }));
    await this.databases.inControl(bulkRefusals, async (collection) => {
      try {
        await collection.insertMany(documents, { ordered: false });
      } catch (error) {
        const isKeptAlready =
          error instanceof mongo.MongoBulkWriteError &&
          isDuplicateKey(error) &&
          [error.writeErrors].flat().every(({ code }) => code === 11000);
        if (!isKeptAlready) throw error;
      }
    });
  }
}

const accepting = (id: string): mongo.Filter<BulkDocument> => ({
  _id: Types.ObjectId.createFromHexString(id),
  status: 'accepting',
});

const recordOf = (document: BulkDocument): Record => ({
  id: document._id.toHexString(),
  serviceName: document.serviceName,
  tenantId: document.tenantId,
  owner: document.owner,
  status: document.status,
  createdAt: document.createdAt,
  completedAt: document.completedAt,
  total: document.total,
  accepted: document.accepted,
  refused: document.refused,
});
