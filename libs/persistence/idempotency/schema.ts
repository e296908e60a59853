import { CollectionOf } from '../databases.js';
import { schemaOf } from '../schema.js';

export interface IdempotencyDocument {
  /** The scope. */
  _id: string;
  fingerprint: string;
  /** Of the request that has the key right now; stays with the answer. */
  token: string;
  /** How long that request has it. */
  until: Date;
  /** When this record goes away. */
  expiresAt: Date;
  answer?: { status: number; /** JSON */ body: string };
}

export const idempotencyRecords = new CollectionOf<IdempotencyDocument>('idempotencyRecords', () => {
  const schema = schemaOf({
    _id: String,
    fingerprint: { type: String, required: true },
    token: { type: String, required: true },
    until: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    answer: { status: Number, body: String },
  });
  // Removes what was kept long enough. Records are found by _id.
  schema.index({ expiresAt: 1 }, { name: 'retention', expireAfterSeconds: 0 });
  return schema;
});
