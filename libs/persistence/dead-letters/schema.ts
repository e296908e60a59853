import type { Types } from 'mongoose';
import type { DeadLetterStatus } from '#contracts/vocabulary';
import type { DeadLetter } from '#domain/dead-letter';
import { CollectionOf } from '../databases.js';
import { schemaOf, SECONDS_PER_DAY } from '../schema.js';

export interface DeadLetterDocument extends Omit<DeadLetter, 'id'> {
  _id: Types.ObjectId;
  /** The notification and its round, or the message: what comes again is the same dead letter. */
  subject: string;
  moves: { from: DeadLetterStatus; to: DeadLetterStatus; at: Date; actor: string }[];
}

export const deadLetters = new CollectionOf<DeadLetterDocument>('deadLetters', (settings) => {
  const schema = schemaOf({
    notificationId: String,
    round: Number,
    serviceName: String,
    tenantId: String,
    channel: String,
    class: { type: String, required: true },
    status: { type: String, required: true },
    code: String,
    reason: String,
    queue: String,
    retryAt: Date,
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    errors: [{ _id: false, in: String, field: String, code: String, message: String }],
    message: { type: { type: String }, messageId: String, correlationId: String, userId: String, payload: String },
    subject: { type: String, required: true },
    moves: [{ _id: false, from: String, to: String, at: Date, actor: String }],
  });
  // One dead letter for each subject; also what is closed when its notification is taken up again.
  schema.index({ subject: 1 }, { name: 'subject', unique: true });
  // Lists, newest first.
  schema.index({ createdAt: -1, _id: -1 }, { name: 'newest' });
  // Those whose time to be tried once more has come.
  schema.index({ retryAt: 1 }, { name: 'due', partialFilterExpression: { status: 'waiting' } });
  // Retention, with the notifications.
  schema.index(
    { createdAt: 1 },
    { name: 'retention', expireAfterSeconds: settings.CARILLON_RETENTION_DAYS * SECONDS_PER_DAY },
  );
  return schema;
});
