import type { Types } from 'mongoose';
import type { Template } from '#templates/ports';
import { CollectionOf } from '../databases.js';
import type { FreeJson } from '../free-json.js';
import { schemaOf } from '../schema.js';

export interface TemplateDocument extends Omit<Template, 'id' | 'content' | 'variables' | 'liveAt'> {
  _id: Types.ObjectId;
  content: Omit<Template['content'], 'data'> & { data: FreeJson };
  variables: FreeJson;
  /** Absent in a draft. */
  liveAt?: Date;
}

export const templates = new CollectionOf<TemplateDocument>('templates', () => {
  const schema = schemaOf({
    serviceName: { type: String, required: true },
    name: { type: String, required: true },
    channel: { type: String, required: true },
    locale: { type: String, required: true },
    version: { type: Number, required: true },
    status: { type: String, required: true },
    content: { title: String, body: String, html: String, mjml: String, text: String, data: {} },
    variables: {},
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    publishedAt: Date,
    liveAt: Date,
    updatedBy: String,
  });
  // One document a version; the highest one so far; a version by its number.
  schema.index({ serviceName: 1, name: 1, channel: 1, locale: 1, version: -1 }, { name: 'version', unique: true });
  // The live one.
  schema.index(
    { serviceName: 1, name: 1, channel: 1, locale: 1, liveAt: -1, version: -1 },
    { name: 'live', partialFilterExpression: { liveAt: { $exists: true } } },
  );
  // Lists, newest first, of services or of one name.
  schema.index({ serviceName: 1, createdAt: -1, _id: -1 }, { name: 'service_newest' });
  schema.index({ serviceName: 1, name: 1, createdAt: -1, _id: -1 }, { name: 'name_newest' });
  return schema;
});
