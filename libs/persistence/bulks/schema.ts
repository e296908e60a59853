import type { Types } from 'mongoose';
import type { FieldError } from '#contracts/problems';
import type { BulkStatus } from '#contracts/vocabulary';
import type { Idempotency } from '#domain/accepted';
import { CollectionOf } from '../databases.js';
import { schemaOf, SECONDS_PER_DAY } from '../schema.js';

export interface BulkDocument {
  _id: Types.ObjectId;
  serviceName: string;
  tenantId: string | null;
  actor: string;
  owner: string;
  status: BulkStatus;
  total: number;
  accepted: number;
  refused: number;
  createdAt: Date;
  completedAt: Date | null;
  idempotency?: Idempotency;
  /** While it is being accepted: who does, and until when. */
  lease?: { token: string; until: Date };
  /** Its items may owe something to the broker, which the relay may tell from this time on. */
  outbox?: { at: Date };
}

export const bulks = new CollectionOf<BulkDocument>('bulks', (settings) => {
  const schema = schemaOf({
    serviceName: { type: String, required: true },
    tenantId: String,
    actor: String,
    owner: String,
    status: { type: String, required: true },
    total: Number,
    accepted: Number,
    refused: Number,
    createdAt: { type: Date, required: true },
    completedAt: Date,
    idempotency: { scope: String, fingerprint: String },
    lease: { token: String, until: Date },
    outbox: { at: Date },
  });
  // Makes an idempotency key good for one bulk, and finds it again. A bulk is found by _id.
  schema.index(
    { 'idempotency.scope': 1 },
    { name: 'idempotency', unique: true, partialFilterExpression: { 'idempotency.scope': { $exists: true } } },
  );
  // Those whose completion has to be noticed, oldest first.
  schema.index({ status: 1, createdAt: 1 }, { name: 'status_oldest' });
  // The relay: what is owed to the broker, oldest first.
  schema.index({ 'outbox.at': 1 }, { name: 'outbox', partialFilterExpression: { 'outbox.at': { $exists: true } } });
  // Retention, with its notifications.
  schema.index(
    { createdAt: 1 },
    { name: 'retention', expireAfterSeconds: settings.CARILLON_RETENTION_DAYS * SECONDS_PER_DAY },
  );
  return schema;
});

export interface BulkRefusalDocument {
  /** `<bulk>:<index>` */
  _id: string;
  bulkId: string;
  index: number;
  reference: string | null;
  errors: FieldError[];
  createdAt: Date;
}

export const bulkRefusals = new CollectionOf<BulkRefusalDocument>('bulkRefusals', (settings) => {
  const schema = schemaOf({
    _id: String,
    bulkId: { type: String, required: true },
    index: { type: Number, required: true },
    reference: String,
    errors: [{ _id: false, in: String, field: String, code: String, message: String }],
    createdAt: { type: Date, required: true },
  });
  // Refusals of a bulk, in order.
  schema.index({ bulkId: 1, index: 1 }, { name: 'bulk' });
  // Retention, with the bulk.
  schema.index(
    { createdAt: 1 },
    { name: 'retention', expireAfterSeconds: settings.CARILLON_RETENTION_DAYS * SECONDS_PER_DAY },
  );
  return schema;
});
