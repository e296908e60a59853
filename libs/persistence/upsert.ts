import type { mongo } from 'mongoose';
import { isDuplicateKey } from './errors.js';

/** A document may be deleted between the steps; more often than this is no accident. */
const MAX_TRIES = 5;

/**
 * Updates a document, which begins as given where there is none; answers it as it stands then. In two steps: not every
 * server keeps two upserts apart that race for the same new document, but none inserts one `_id` twice.
 */
export const upsert = async <D extends { _id: string }>(
  collection: mongo.Collection<D>,
  beginning: D,
  update: mongo.Document[],
): Promise<mongo.WithId<D>> => {
  const one = { _id: beginning._id } as mongo.Filter<D>;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const updated = await collection.findOneAndUpdate(one, update, { returnDocument: 'after' });
    if (updated !== null) return updated;
    try {
      await collection.insertOne(beginning as mongo.OptionalUnlessRequiredId<D>);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw new Error(`${collection.collectionName} lost a document again and again`);
};
