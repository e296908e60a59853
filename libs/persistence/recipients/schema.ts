import type { Device, RecipientProfile } from '#access/ports';
import { CollectionOf } from '../databases.js';
import type { FreeJson } from '../free-json.js';
import { schemaOf } from '../schema.js';

export interface RecipientDocument extends Omit<RecipientProfile, 'email' | 'phone' | 'webhookUrl' | 'attributes'> {
  /** The user's id: each service has a database of its own. */
  _id: string;
  email?: string;
  phone?: string;
  webhookUrl?: string;
  attributes: FreeJson;
  /** In the order of registration. */
  devices: (Device & { /** Again, too: who did it last has the token. */ registeredAt: Date })[];
  createdAt: Date;
  updatedAt: Date;
}

export const recipients = new CollectionOf<RecipientDocument>('recipients', () => {
  const schema = schemaOf({
    _id: String,
    email: String,
    phone: String,
    webhookUrl: String,
    locale: String,
    timezone: String,
    attributes: {},
    devices: [{ _id: false, id: String, token: String, platform: String, createdAt: Date, registeredAt: Date }],
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  });
  // Tokens, when they move to another user or are gone.
  schema.index({ 'devices.token': 1 }, { name: 'device_token' });
  // Addresses, numbers and endpoints that are gone are forgotten wherever they stand.
  schema.index({ email: 1 }, { name: 'email', partialFilterExpression: { email: { $exists: true } } });
  schema.index({ phone: 1 }, { name: 'phone', partialFilterExpression: { phone: { $exists: true } } });
  schema.index({ webhookUrl: 1 }, { name: 'webhook_url', partialFilterExpression: { webhookUrl: { $exists: true } } });
  return schema;
});
