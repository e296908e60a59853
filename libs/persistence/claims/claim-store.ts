import type { ClaimDebts, OwingClaim } from '#delivery/ports';
import { RELAY_GRACE_MS } from '#domain/change';
import type { ClaimOutbox, OwedClaim } from '#upkeep/ports';
import type { Databases } from '../databases.js';
import { isDuplicateKey } from '../errors.js';
import { later, NOW } from '../expressions.js';
import { objectIdsOf } from '../schema.js';
import { claims } from './schema.js';

export class MongoClaimStore implements ClaimDebts, ClaimOutbox {
  constructor(private readonly databases: Databases) {}

  async owe({ token, serviceName, ids, at }: OwingClaim): Promise<void> {
    try {
      await this.databases.inControl(claims, (collection) =>
        collection.insertOne({ _id: token, serviceName, ids: objectIdsOf(ids), outbox: { at } }),
      );
    } catch (error) {
      // The driver repeats what a lost connection interrupted.
      if (!isDuplicateKey(error)) throw error;
    }
  }

  async told(tokens: readonly string[]): Promise<void> {
    await this.databases.inControl(claims, (collection) => collection.deleteMany({ _id: { $in: [...tokens] } }));
  }

  async leaveToRelay(token: string): Promise<void> {
    await this.databases.inControl(claims, (collection) =>
      collection.updateOne({ _id: token }, [{ $set: { outbox: { at: later(NOW, RELAY_GRACE_MS) } } }]),
    );
  }

  async owed(limit: number): Promise<OwedClaim[]> {
    const now = await this.databases.now();
    const found = await this.databases.inControl(claims, (collection) =>
      collection
        .find({ 'outbox.at': { $lte: now } }, { sort: { 'outbox.at': 1 }, limit, batchSize: limit + 1 })
        .toArray(),
    );
    return found.map(({ _id, serviceName, ids }) => ({
      token: _id,
      serviceName,
      ids: ids.map((id) => id.toHexString()),
    }));
  }
}
