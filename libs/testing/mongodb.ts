import { randomBytes } from 'node:crypto';
import { parseSettings } from '#config/settings';
import { Databases } from '#persistence/databases';
import { createIndexes } from '#persistence/indexes';
import { databaseSettings } from '#persistence/settings';

/** Databases of one spec's own, with their indexes, on the server of MONGODB_URI. */
export interface TestDatabases {
  readonly databases: Databases;
  /** Another process's view of the same databases: connections of its own. */
  another(): Databases;
  /**
   * The plan of every query that `work` makes.
   * @throws Error for a query that reads a whole collection
   */
  plansOf(work: () => Promise<unknown>): Promise<Plan[]>;
  /** Removes the databases and closes every connection. */
  drop(): Promise<void>;
}

export interface Plan {
  command: string;
  collection: string;
  /** Names of the indexes that are read. */
  indexes: string[];
}

interface Command {
  database: string;
  name: string;
  body: Record<string, unknown>;
}

/** Commands that look for documents, and the fields that explain knows. */
const EXPLAINED: Readonly<Record<string, readonly string[]>> = {
  find: ['find', 'filter', 'sort', 'limit', 'projection', 'batchSize'],
  aggregate: ['aggregate', 'pipeline', 'cursor'],
  update: ['update', 'updates'],
  delete: ['delete', 'deletes'],
  findAndModify: ['findAndModify', 'query', 'sort', 'update', 'remove', 'new', 'upsert'],
};

export const openTestDatabases = async (environment: NodeJS.ProcessEnv = {}): Promise<TestDatabases> => {
  const uri = process.env['MONGODB_URI'];
  if (uri === undefined || uri === '') throw new Error('MONGODB_URI is required: eval "$(scripts/infra.sh env)"');
  const settings = parseSettings(databaseSettings, {
    MONGODB_URI: uri,
    CARILLON_DATABASE_PREFIX: `t${randomBytes(6).toString('hex')}_`,
    CARILLON_SERVICES: 'diabetes,test',
    ...environment,
  });
  const databases = new Databases(settings, { monitorCommands: true });
  await createIndexes(databases);
  const opened = [databases];
  const client = (await databases.connection()).getClient();

  const record = async (work: () => Promise<unknown>): Promise<Command[]> => {
    const commands: Command[] = [];
    const listen = (event: { databaseName: string; commandName: string; command: object }): void => {
      const body = event.command as Record<string, unknown>;
      if (event.commandName in EXPLAINED)
        commands.push({ database: event.databaseName, name: event.commandName, body });
    };
    client.on('commandStarted', listen);
    try {
      await work();
    } finally {
      client.off('commandStarted', listen);
    }
    return commands;
  };

  return {
    databases,
    another() {
      const other = new Databases(settings);
      opened.push(other);
      return other;
    },
    async plansOf(work) {
      const plans: Plan[] = [];
      for (const { database, name, body } of await record(work)) {
        const known = EXPLAINED[name] ?? [];
        const explain = Object.fromEntries(Object.entries(body).filter(([field]) => known.includes(field)));
        const plan = await client.db(database).command({ explain, verbosity: 'queryPlanner' });
        const stages = JSON.stringify(plan, (field, value: unknown) => (field === 'rejectedPlans' ? undefined : value));
        if (stages.includes('"COLLSCAN"'))
          throw new Error(`${name} on ${String(body[name])} reads the whole collection: ${JSON.stringify(explain)}`);
        const indexes = [...stages.matchAll(/"indexName":"([^"]+)"/g)].map(([, index]) => index ?? '');
        if (/"stage":"(IDHACK|EXPRESS)/.test(stages)) indexes.push('_id_');
        plans.push({ command: name, collection: String(body[name]), indexes: [...new Set(indexes)] });
      }
      return plans;
    },
    async drop() {
      for (const service of databases.services) await client.db(databases.serviceDatabase(service)).dropDatabase();
      await client.db(databases.controlDatabase).dropDatabase();
      await Promise.all(opened.map((one) => one.close()));
    },
  };
};
