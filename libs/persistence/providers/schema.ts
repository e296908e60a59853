import type { DisabledProvider, ProviderReport } from '#providers/ports';
import { CollectionOf } from '../databases.js';
import { schemaOf } from '../schema.js';

/** `<channel>/<provider>` */
export type DisabledProviderDocument = DisabledProvider & { _id: string };

/** Read altogether, and found by _id: needs no index. */
export const disabledProviders = new CollectionOf<DisabledProviderDocument>('disabled_providers', () =>
  schemaOf({
    _id: String,
    channel: { type: String, required: true },
    name: { type: String, required: true },
    reason: String,
    by: String,
    at: Date,
  }),
);

/** `<channel>/<provider>/<dispatcher>` */
export type ProviderReportDocument = ProviderReport & { _id: string };

/** Of dispatchers that are gone; those that live write again after seconds. */
const KEPT_SECONDS = 600;

export const providerReports = new CollectionOf<ProviderReportDocument>('provider_reports', () => {
  const schema = schemaOf({
    _id: String,
    channel: { type: String, required: true },
    name: { type: String, required: true },
    dispatcher: { type: String, required: true },
    services: [{ _id: false, serviceName: String, order: Number }],
    health: String,
    since: Date,
    lastError: { code: String, at: Date },
    counts: { sent: Number, failed: Number, uncertain: Number, rateLimited: Number },
    at: { type: Date, required: true },
  });
  // The latest ones; and removes what is old.
  schema.index({ at: 1 }, { name: 'retention', expireAfterSeconds: KEPT_SECONDS });
  return schema;
});
