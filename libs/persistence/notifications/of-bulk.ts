import { type mongo, Types } from 'mongoose';
import { itemRange } from '#domain/item-ids';
import { objectIdOf } from '../schema.js';
import type { NotificationDocument } from './schema.js';

/** Where the items of a bulk lie: their ids follow from its own, so that no index needs to know which bulk they are of. */
export const rangeOfBulk = (bulkId: string): { $gte: Types.ObjectId; $lte: Types.ObjectId } | null => {
  if (objectIdOf(bulkId) === null) return null;
  const { first, last } = itemRange(bulkId);
  return { $gte: Types.ObjectId.createFromHexString(first), $lte: Types.ObjectId.createFromHexString(last) };
};

/** Its items; none for what is no id. */
export const ofBulk = (bulkId: string): mongo.Filter<NotificationDocument> => {
  const range = rangeOfBulk(bulkId);
  return range === null ? { _id: { $in: [] } } : { _id: range, bulkId };
};
