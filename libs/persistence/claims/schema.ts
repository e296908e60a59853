import type { Types } from 'mongoose';
import { CollectionOf } from '../databases.js';
import { schemaOf } from '../schema.js';

/** Claims that owe the broker what was sent under them: each lives for a moment. */
export interface ClaimDocument {
  /** The token of its lease. */
  _id: string;
  serviceName: string;
  /** Of the notifications that were claimed. */
  ids: Types.ObjectId[];
  /** From this time on the relay may tell. */
  outbox: { at: Date };
}

export const claims = new CollectionOf<ClaimDocument>('claims', () => {
  const schema = schemaOf({
    _id: String,
    serviceName: { type: String, required: true },
    ids: [{ type: 'ObjectId' }],
    outbox: { at: { type: Date, required: true } },
  });
  // The relay: what is owed to the broker, oldest first.
  schema.index({ 'outbox.at': 1 }, { name: 'outbox' });
  return schema;
});
