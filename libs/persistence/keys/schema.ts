import type { Types } from 'mongoose';
import type { ApiKey } from '#access/ports';
import { CollectionOf } from '../databases.js';
import { schemaOf } from '../schema.js';

export interface KeyDocument extends Omit<ApiKey, 'id'> {
  _id: Types.ObjectId;
}

export const keys = new CollectionOf<KeyDocument>('keys', () => {
  const schema = schemaOf({
    owner: { type: String, required: true },
    scopes: [String],
    services: [String],
    hash: { type: String, required: true },
    createdAt: { type: Date, required: true },
    expiresAt: Date,
    revokedAt: Date,
  });
  // Lists, newest first. A key is found by _id.
  schema.index({ createdAt: -1, _id: -1 }, { name: 'newest' });
  return schema;
});
