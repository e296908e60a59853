import { type Connection, mongo, type Schema } from 'mongoose';
import { alertWindows } from './alerts/schema.js';
import { bulkRefusals, bulks } from './bulks/schema.js';
import { claims } from './claims/schema.js';
import { type CollectionOf, type Databases } from './databases.js';
import { deadLetters } from './dead-letters/schema.js';
import { orUnavailable } from './errors.js';
import { idempotencyRecords } from './idempotency/schema.js';
import { inbox } from './inbox/schema.js';
import { keys } from './keys/schema.js';
import { limits } from './limits/schema.js';
import { limitPlaces } from './limits/places.js';
import { limitRules } from './limits/rule-store.js';
import { notifications } from './notifications/schema.js';
import { disabledProviders, providerReports } from './providers/schema.js';
import { recipients } from './recipients/schema.js';
import { templates } from './templates/schema.js';

const SERVICE_COLLECTIONS: readonly CollectionOf<mongo.Document>[] = [notifications, recipients, inbox];
const CONTROL_COLLECTIONS: readonly CollectionOf<mongo.Document>[] = [
  alertWindows,
  bulkRefusals,
  bulks,
  claims,
  deadLetters,
  idempotencyRecords,
  keys,
  disabledProviders,
  limitPlaces,
  limitRules,
  limits,
  providerReports,
  templates,
];

/** The server's word for an index that exists under this name with other options. */
const INDEX_OPTIONS_CONFLICT = 85;

const createOne = async (connection: Connection, database: string, name: string, schema: Schema): Promise<void> => {
  const db = connection.useDb(database, { useCache: true });
  const model = db.models[name] ?? db.model(name, schema, name);
  try {
    await model.createIndexes();
  } catch (error) {
    if (!(error instanceof mongo.MongoServerError) || error.code !== INDEX_OPTIONS_CONFLICT) throw error;
    // The retention was set to another number of days: the only option that may change.
    for (const [, options] of schema.indexes())
      if (options.expireAfterSeconds !== undefined)
        await model.collection.conn.db?.command({
          collMod: name,
          index: { name: options.name, expireAfterSeconds: options.expireAfterSeconds },
        });
    await model.createIndexes();
  }
};

/**
 * Makes the collections' indexes in every database. A step of its own before a deployment, never part of a start. Only
 * adds, so that the version before can run beside; safe to repeat.
 */
export const createIndexes = (databases: Databases): Promise<void> =>
  orUnavailable(async () => {
    const connection = await databases.connection();
    for (const service of databases.services)
      for (const { name, schema } of SERVICE_COLLECTIONS)
        await createOne(connection, databases.serviceDatabase(service), name, schema(databases.settings));
    for (const { name, schema } of CONTROL_COLLECTIONS)
      await createOne(connection, databases.controlDatabase, name, schema(databases.settings));
  });
