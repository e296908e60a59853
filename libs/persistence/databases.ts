import { type Connection, createConnection, type mongo, type Schema } from 'mongoose';
import { orUnavailable } from './errors.js';
import { type PoolFigures, watchPool } from './pool.js';
import type { DatabaseSettings } from './settings.js';
import { freeStuckWrites } from './stuck-writes.js';

/** Majority and journal: nothing that was acknowledged is lost when the primary is. */
const DURABLE = { w: 'majority', journal: true, wtimeoutMS: 10_000 } as const;
/** Milliseconds to find a primary before giving up. */
const SELECTION_TIMEOUT_MS = 3_000;
/** Milliseconds after which a silent server counts as lost; longer than any query may take. */
const SOCKET_TIMEOUT_MS = 60_000;
/** Milliseconds for which the database's clock need not be asked again: after a failover it may be another one. */
const CLOCK_GOOD_MS = 30_000;

/** Milliseconds between looks for operations that the driver forgot. */
const STUCK_EVERY_MS = 1_000;

/** A collection: its name, what its documents look like, and its schema with the indexes. */
export class CollectionOf<D extends mongo.Document> {
  declare readonly documents: D;
  constructor(
    readonly name: string,
    readonly schema: (settings: DatabaseSettings) => Schema,
  ) {}
}

export interface DatabaseOptions {
  /** Makes the client emit its commands, for tests that look at plans. */
  monitorCommands?: boolean;
}

/**
 * One pool of connections to all databases: one for each service, and the control database. Connects when first used;
 * a failed attempt is repeated by the next use. Every method throws `Unavailable` when MongoDB cannot be reached.
 */
export class Databases {
  #opening: Promise<Connection> | undefined;
  #pool: PoolFigures | undefined;
  #freeing: NodeJS.Timeout | undefined;
  /** Two clocks at one moment, milliseconds: the database's since 1970, and ours by `performance.now()`. */
  #clock: { theirs: number; ours: number } | undefined;
  readonly services: readonly string[];

  constructor(
    readonly settings: DatabaseSettings,
    private readonly options: DatabaseOptions = {},
  ) {
    this.services = settings.CARILLON_SERVICES;
    if (this.services.includes(settings.CARILLON_CONTROL_DATABASE))
      throw new Error('CARILLON_CONTROL_DATABASE must not be the name of a service');
  }

  has(serviceName: string): boolean {
    return this.services.includes(serviceName);
  }

  /** Of those that are asked for, the ones that exist here. */
  known(serviceNames: Iterable<string>): string[] {
    return [...new Set(serviceNames)].filter((name) => this.has(name));
  }

  inService<D extends mongo.Document, R>(
    serviceName: string,
    collection: CollectionOf<D>,
    work: (collection: mongo.Collection<D>) => Promise<R>,
  ): Promise<R> {
    return this.#within(() => this.serviceDatabase(serviceName), collection, work);
  }

  inControl<D extends mongo.Document, R>(
    collection: CollectionOf<D>,
    work: (collection: mongo.Collection<D>) => Promise<R>,
  ): Promise<R> {
    return this.#within(() => this.controlDatabase, collection, work);
  }

  /** @throws RangeError for a service that is not configured: its database must not come into being */
  serviceDatabase(serviceName: string): string {
    if (!this.has(serviceName)) throw new RangeError(`the service ${serviceName} is not in CARILLON_SERVICES`);
    return this.settings.CARILLON_DATABASE_PREFIX + serviceName;
  }

  get controlDatabase(): string {
    return this.settings.CARILLON_DATABASE_PREFIX + this.settings.CARILLON_CONTROL_DATABASE;
  }

  async ping(): Promise<void> {
    await orUnavailable(async () => (await this.connection()).getClient().db('admin').command({ ping: 1 }));
  }

  /** The database's clock, asked for now and then and carried on by our own: never ahead of it, and behind by no more than an answer takes. */
  async now(): Promise<Date> {
    const ours = performance.now();
    if (this.#clock === undefined || ours - this.#clock.ours > CLOCK_GOOD_MS)
      this.#clock = await orUnavailable(async () => {
        const hello = await (await this.connection()).getClient().db('admin').command({ hello: 1 });
        return { theirs: (hello['localTime'] as Date).getTime(), ours: performance.now() };
      });
    return new Date(this.#clock.theirs + Math.floor(performance.now() - this.#clock.ours));
  }

  /** Of the present client. */
  get pool(): Readonly<PoolFigures> {
    return this.#pool ?? { open: 0, inUse: 0, waiting: 0 };
  }

  async connection(): Promise<Connection> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    clearInterval(this.#freeing);
    await opening?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  async #within<D extends mongo.Document, R>(
    database: () => string,
    { name }: CollectionOf<D>,
    work: (collection: mongo.Collection<D>) => Promise<R>,
  ): Promise<R> {
    return orUnavailable(async () => work((await this.connection()).getClient().db(database()).collection<D>(name)));
  }

  #open(): Promise<Connection> {
    const connection = createConnection(this.settings.MONGODB_URI, {
      appName: 'carillon',
      maxPoolSize: this.settings.MONGODB_POOL_SIZE,
      writeConcern: DURABLE,
      serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
      connectTimeoutMS: SELECTION_TIMEOUT_MS,
      socketTimeoutMS: SOCKET_TIMEOUT_MS,
      // What MongoDB stored was checked by MongoDB; checking again costs a fifth of the time to read.
      enableUtf8Validation: false,
      monitorCommands: this.options.monitorCommands ?? false,
      autoIndex: false,
      autoCreate: false,
      bufferCommands: false,
    });
    // Made at once, unless the address makes no sense.
    const client: mongo.MongoClient | undefined = connection.getClient();
    this.#pool = client && watchPool(client);
    clearInterval(this.#freeing);
    this.#freeing = client && setInterval(() => freeStuckWrites(client), STUCK_EVERY_MS).unref();
    const opening = connection.asPromise();
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }
}
