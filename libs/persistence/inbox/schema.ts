import type { InboxItem } from '#inbox/ports';
import { CollectionOf } from '../databases.js';
import type { FreeJson } from '../free-json.js';
import { schemaOf } from '../schema.js';

export interface InboxDocument extends Omit<InboxItem, 'id' | 'data' | 'createdAt'> {
  /** Id of the delivery: one item for each, however often it is sent. */
  _id: string;
  tenantId: string | null;
  userId: string;
  data: FreeJson;
  unread: boolean;
  /** Deleted by its reader. Stays for a while without its content, so that streams hear of it. */
  gone: boolean;
  expiresAt: Date;
  /** Read at this time, and its notification does not say so yet. */
  readOwed?: Date;
  /** By the database's clock, in a second step: what lacks it is not stored yet. */
  createdAt?: Date;
  changedAt?: Date;
}

export const inbox = new CollectionOf<InboxDocument>('inbox', () => {
  const schema = schemaOf({
    _id: String,
    notificationId: { type: String, required: true },
    tenantId: String,
    userId: { type: String, required: true },
    type: { type: String, required: true },
    priority: { type: String, required: true },
    title: String,
    body: { type: String, required: true },
    data: {},
    reference: String,
    groupId: String,
    version: { type: Number, required: true },
    readAt: Date,
    unread: { type: Boolean, required: true },
    gone: { type: Boolean, required: true },
    expiresAt: { type: Date, required: true },
    readOwed: Date,
    createdAt: Date,
    changedAt: Date,
  });
  // Lists of a reader, newest first.
  schema.index(
    { userId: 1, tenantId: 1, createdAt: -1, _id: -1 },
    { name: 'reader_newest', partialFilterExpression: { gone: false } },
  );
  // What a reader has not read: lists, the count, and marking all.
  schema.index(
    { userId: 1, tenantId: 1, createdAt: -1, _id: -1, unread: 1 },
    { name: 'reader_unread', partialFilterExpression: { unread: true } },
  );
  // What streams have to tell.
  schema.index({ userId: 1, changedAt: 1 }, { name: 'reader_changes' });
  // What was read, and is to be told.
  schema.index({ readOwed: 1 }, { name: 'reads_owed', partialFilterExpression: { readOwed: { $exists: true } } });
  // Retention, of deletions too.
  schema.index({ expiresAt: 1 }, { name: 'retention', expireAfterSeconds: 0 });
  return schema;
});
