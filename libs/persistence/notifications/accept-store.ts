import { setTimeout as wait } from 'node:timers/promises';
import { mongo } from 'mongoose';
import type { AcceptStore } from '#acceptance/ports';
import type { InsertResult, NewNotification } from '#domain/accepted';
import type { Notification } from '#domain/notification';
import type { Databases } from '../databases.js';
import { isAboutId, isDuplicateKey, isTransient, isUnreachable } from '../errors.js';
import { fromDocument, toDocument } from './document.js';
import { type NotificationDocument, notifications } from './schema.js';

type Collection = mongo.Collection<NotificationDocument>;
type Found = { notification: Notification; fingerprint: string };

interface Entry {
  index: number;
  document: NotificationDocument;
}

/** What is null is left out. */
const WRITE = { ignoreUndefined: true } as const;
/** Times that the winner of a race is looked for: its write is about to reach the majority. */
const LOOKS_FOR_WINNER = 6;
const LOOK_AGAIN_MS = 10;
/** Times that the transaction of a group is repeated, each after a longer pause. */
const TRANSACTION_REPEATS = 8;

const INSERTED: InsertResult = { kind: 'inserted' };
const UNAVAILABLE: InsertResult = { kind: 'unavailable' };

export class MongoAcceptStore implements AcceptStore {
  constructor(
    private readonly databases: Databases,
    /** Told of what the caller only learns as `unavailable`. */
    private readonly onError: (error: unknown) => void = () => undefined,
  ) {}

  async findByIdempotency(refs: readonly { serviceName: string; scope: string }[]): Promise<(Found | null)[]> {
    const scopes = new Map<string, string[]>();
    for (const { serviceName, scope } of refs) listIn(scopes, serviceName).push(scope);
    const found = new Map<string, Found>();
    await Promise.all(
      [...scopes].map(([serviceName, wanted]) =>
        this.databases.inService(serviceName, notifications, async (collection) => {
          for (const [scope, one] of await byScope(collection, wanted)) found.set(`${serviceName}:${scope}`, one);
        }),
      ),
    );
    return refs.map(({ serviceName, scope }) => found.get(`${serviceName}:${scope}`) ?? null);
  }

  /**
   * One write for each service, and one transaction for each chunk of a bulk and for each group. A lost connection does
   * not tell whether the write happened, so it is repeated with the same ids: what is already there was inserted.
   */
  async insertAccepted(batch: readonly NewNotification[]): Promise<InsertResult[]> {
    const results = new Array<InsertResult>(batch.length).fill(UNAVAILABLE);
    const singles = new Map<string, Entry[]>();
    const chunks = new Map<string, { serviceName: string; entries: Entry[] }>();
    batch.forEach((accepted, index) => {
      const { serviceName, bulkId, groupId } = accepted.notification;
      const entry = { index, document: toDocument(accepted) };
      const whole = bulkId ?? groupId;
      if (whole === null) return void listIn(singles, serviceName).push(entry);
      const chunk = chunks.get(`${serviceName}:${whole}`);
      if (chunk === undefined) chunks.set(`${serviceName}:${whole}`, { serviceName, entries: [entry] });
      else chunk.entries.push(entry);
    });
    const into = (serviceName: string, insert: (collection: Collection) => Promise<void>): Promise<void> =>
      this.databases.inService(serviceName, notifications, insert).catch(this.onError);
    await Promise.all([
      ...[...singles].map(([serviceName, entries]) =>
        into(serviceName, (collection) => this.insertEach(collection, entries, results)),
      ),
      ...[...chunks.values()].map(({ serviceName, entries }) =>
        into(serviceName, (collection) => this.insertChunk(collection, entries, results)),
      ),
    ]);
    return results;
  }

  /** All of it or nothing; what a repetition finds there already makes the transaction fail, and goes by parts. */
  private async insertChunk(collection: Collection, entries: readonly Entry[], results: InsertResult[]): Promise<void> {
    const [first] = entries;
    const isOneGroup = first?.document.groupId !== undefined && first.document.bulkId === undefined;
    if (isOneGroup) return this.insertTogether(collection, entries, results);
    try {
      await this.inTransaction(collection, entries);
      for (const { index } of entries) results[index] = INSERTED;
    } catch (error) {
      if (!isDuplicateKey(error)) this.onError(error);
      const { single = [], ...groups } = Object.groupBy(entries, ({ document }) => document.groupId ?? 'single');
      if (single.length > 0) await this.insertEach(collection, single, results);
      for (const group of Object.values(groups)) await this.insertTogether(collection, group ?? [], results);
    }
  }

  /** The members of a group: all of them, or none. */
  private async insertTogether(
    collection: Collection,
    entries: readonly Entry[],
    results: InsertResult[],
  ): Promise<void> {
    for (let repeats = 0; repeats <= TRANSACTION_REPEATS; repeats += 1) {
      if (repeats > 0) await wait(LOOK_AGAIN_MS * repeats);
      try {
        await this.inTransaction(collection, entries);
        for (const { index } of entries) results[index] = INSERTED;
        return;
      } catch (error) {
        if (isDuplicateKey(error)) {
          const known = await this.resultOfDuplicate(collection, entries, results);
          for (const { index } of entries) results[index] = known;
          // Whoever was first has not committed yet, or has given up.
          if (known !== UNAVAILABLE) return;
          continue;
        }
        this.onError(error);
        // Whether it was committed is not known, or another transaction was in the way: it has the same ids, so repeat it.
        if (!isUnreachable(error) && !isTransient(error)) return;
      }
    }
  }

  /** There already, by an attempt of ours that got no answer; or another request with the same key was first. */
  private async resultOfDuplicate(
    collection: Collection,
    entries: readonly Entry[],
    results: InsertResult[],
  ): Promise<InsertResult> {
    const _ids = entries.map(({ document }) => document._id);
    const there = await collection.find({ _id: { $in: _ids } }, { projection: { _id: 1 } }).toArray();
    // Written together or not at all, so one that is there stands for all; a repetition may have left out others.
    if (there.length > 0) return INSERTED;
    const recorded = entries.filter(({ document }) => document.idempotency !== undefined);
    await this.answerRaces(collection, recorded, results);
    return recorded.map(({ index }) => results[index]).find((result) => result !== undefined) ?? UNAVAILABLE;
  }

  /** @throws what the server says; then nothing was written, unless it is not known */
  private async inTransaction(collection: Collection, entries: readonly Entry[]): Promise<void> {
    const session = (await this.databases.connection()).getClient().startSession();
    try {
      session.startTransaction();
      await collection.insertMany(
        entries.map(({ document }) => document),
        { session, ...WRITE },
      );
      await session.commitTransaction();
    } finally {
      if (session.inTransaction()) await session.abortTransaction().catch(this.onError);
      await session.endSession();
    }
  }

  private async insertEach(
    collection: Collection,
    entries: readonly Entry[],
    results: InsertResult[],
    repeated = false,
  ): Promise<void> {
    try {
      const refusals = await insertUnordered(collection, entries);
      const raced = entries.filter((entry, at) => {
        const refusal = refusals.get(at);
        if (refusal === undefined || isAboutId(refusal.errmsg)) results[entry.index] = INSERTED;
        else if (refusal.code === 11000) return true;
        else this.onError(refusal);
        return false;
      });
      if (raced.length > 0) await this.answerRaces(collection, raced, results);
    } catch (error) {
      this.onError(error);
      if (isUnreachable(error)) {
        if (!repeated) await this.insertEach(collection, entries, results, true);
        return;
      }
      // The driver refused to write a document, such as one that is too large, and with it the whole batch.
      if (entries.length === 1) return;
      const half = Math.ceil(entries.length / 2);
      await this.insertEach(collection, entries.slice(0, half), results);
      await this.insertEach(collection, entries.slice(half), results);
    }
  }

  private async answerRaces(collection: Collection, raced: readonly Entry[], results: InsertResult[]): Promise<void> {
    let open = raced;
    for (let look = 0; look < LOOKS_FOR_WINNER && open.length > 0; look += 1) {
      if (look > 0) await wait(LOOK_AGAIN_MS * look);
      const found = await byScope(
        collection,
        open.map(({ document }) => document.idempotency?.scope ?? ''),
      );
      open = open.filter(({ index, document }) => {
        const winner = found.get(document.idempotency?.scope ?? '');
        if (winner === undefined) return true;
        const { notification: existing, fingerprint } = winner;
        const isOurs = existing.id === document._id.toHexString();
        results[index] = isOurs ? INSERTED : { kind: 'duplicate', existing, fingerprint };
        return false;
      });
    }
  }
}

/** Writes what can be written; the refusals by place. */
const insertUnordered = async (
  collection: Collection,
  entries: readonly Entry[],
): Promise<ReadonlyMap<number, mongo.WriteError>> => {
  try {
    await collection.insertMany(
      entries.map(({ document }) => document),
      { ordered: false, ...WRITE },
    );
    return new Map();
  } catch (error) {
    if (!(error instanceof mongo.MongoBulkWriteError) || isUnreachable(error)) throw error;
    // Written, but not known to be durable: repeating it waits for the majority once more.
    const concern = error.result.getWriteConcernError();
    if (concern !== undefined) throw new mongo.MongoWriteConcernError({ ok: 1, writeConcernError: concern.toJSON() });
    return new Map([error.writeErrors].flat().map((refusal) => [refusal.index, refusal]));
  }
};

/** Only what no failover can take back: a replay tells the caller that it is durable. */
const byScope = async (collection: Collection, scopes: readonly string[]): Promise<ReadonlyMap<string, Found>> => {
  const documents = await collection
    .find(
      { 'idempotency.scope': { $in: [...new Set(scopes)] } },
      { readConcern: { level: 'majority' }, batchSize: scopes.length + 1 },
    )
    .toArray();
  return new Map(
    documents.flatMap((document) => {
      const { idempotency } = document;
      if (idempotency === undefined) return [];
      const found = { notification: fromDocument(document), fingerprint: idempotency.fingerprint };
      return [[idempotency.scope, found] as const];
    }),
  );
};

const listIn = <T>(map: Map<string, T[]>, key: string): T[] => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made: T[] = [];
  map.set(key, made);
  return made;
};
