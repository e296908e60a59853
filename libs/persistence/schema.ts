import { Schema, type SchemaDefinition, Types } from 'mongoose';

/** Shape and indexes of a collection. Documents are written by the stores, not by mongoose: nothing is added or cast. */
export const schemaOf = (definition: SchemaDefinition): Schema =>
  new Schema(definition, {
    versionKey: false,
    minimize: false,
    autoIndex: false,
    autoCreate: false,
    suppressReservedKeysWarning: true,
  });

export const SECONDS_PER_DAY = 86_400;

/** Null for what is no id, so that a malformed one is simply not found. */
export const objectIdOf = (id: string): Types.ObjectId | null =>
  /^[0-9a-f]{24}$/.test(id) ? Types.ObjectId.createFromHexString(id) : null;

export const objectIdsOf = (ids: Iterable<string>): Types.ObjectId[] =>
  [...ids].map(objectIdOf).filter((id) => id !== null);

export const newestFirst = { createdAt: -1, _id: -1 } as const;

/** What lies behind a place in the order newest first. The bound on createdAt alone is what an index is asked for. */
export const olderThan = (
  place: { createdAt: Date; id: string } | null,
): {
  createdAt: { $gte?: Date; $lte?: Date };
  $or?: ({ createdAt: { $lt: Date } } | { _id: { $lt: Types.ObjectId } })[];
} => {
  const _id = place === null ? null : objectIdOf(place.id);
  if (place === null || _id === null) return { createdAt: { $gte: new Date(0) } };
  const { createdAt } = place;
  return { createdAt: { $lte: createdAt }, $or: [{ createdAt: { $lt: createdAt } }, { _id: { $lt: _id } }] };
};
