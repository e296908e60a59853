import { mongo, Types } from 'mongoose';
import { isUnreachable } from '../errors.js';
import { byId } from '../expressions.js';
import type { LimitDocument } from './schema.js';

type Collection = mongo.Collection<LimitDocument>;

const MINUTE_MS = 60_000;

export const minuteNumber = (at: Date): number => Math.floor(at.getTime() / MINUTE_MS);
export const minuteDate = (minute: number): Date => new Date(minute * MINUTE_MS);
/** All counters of a minute come after it, and before that of the next. */
export const minuteId = (minute: number): string => `${String(minute).padStart(8, '0')}|`;
export const counterId = (key: string, minute: number): string => minuteId(minute) + key;

/** Places that one batch wants in one counter. */
export interface Want {
  count: number;
  max: number;
}

/** Grants kept on a counter: with a maximum beyond it, the answer to a batch may be lost, and its places wasted. */
const KEPT_GRANTS = 500;

/** Counters remembered to exist: the users of a busy minute or two. */
const KEPT_KNOWN = 100_000;

/** Counters that this process has seen: to insert them once more would only be refused. What it forgets costs a try. */
export class KnownCounters {
  private present = new Set<string>();
  private before = new Set<string>();

  has(id: string): boolean {
    return this.present.has(id) || this.before.has(id);
  }

  forget(id: string): void {
    this.present.delete(id);
    this.before.delete(id);
  }

  add(id: string): void {
    this.present.add(id);
    if (this.present.size < KEPT_KNOWN) return;
    this.before = this.present;
    this.present = new Set();
  }
}

/**
 * Takes places in many counters at once: at most as many as each has left. New counters are inserted, those that exist
 * already counted up, in one write each. Each write is atomic for its document, and leaves the token of its batch
 * behind: it can be repeated, and tells afterwards who got what. A transaction would say the same, but those of several
 * gateways conflict on a counter that they share.
 * @returns how many each counter gave; one that is full is not in it
 */
export const take = async (
  collection: Collection,
  wants: ReadonlyMap<string, Want>,
  known: KnownCounters,
): Promise<Map<string, number>> => {
  const token = new Types.ObjectId();
  try {
    return await takeOnce(collection, wants, known, token);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return takeOnce(collection, wants, known, token);
  }
};

const takeOnce = async (
  collection: Collection,
  wants: ReadonlyMap<string, Want>,
  known: KnownCounters,
  token: Types.ObjectId,
): Promise<Map<string, number>> => {
  const open = [...wants].filter(([, { max }]) => max > 0);
  const fresh = open.flatMap(([_id, { count, max }]) => {
    if (known.has(_id)) return [];
    const taken = Math.min(count, max);
    return [{ _id, taken, grants: [{ token, count: taken }] }];
  });
  const refused = insertMissing(collection, fresh).then((existing) => {
    for (const { _id } of fresh) known.add(_id);
    return existing;
  });
  const seen = open.flatMap(([_id]) => (known.has(_id) ? [_id] : []));
  const [existing, ofSeen] = await Promise.all([refused, countUp(collection, wants, seen, token)]);
  const ofRefused = await countUp(collection, wants, [...existing], token);
  const granted = new Map(fresh.flatMap(({ _id, taken }) => (existing.has(_id) ? [] : [[_id, taken] as const])));
  const gone = new Map<string, Want>();
  for (const [id, count] of [...ofSeen, ...ofRefused])
    if (count !== null) granted.set(id, count);
    else gone.set(id, wants.get(id) ?? { count: 0, max: 0 });
  if (gone.size === 0) return granted;
  for (const id of gone.keys()) known.forget(id);
  return new Map([...granted, ...(await takeOnce(collection, gone, known, token))]);
};

/** @returns how many places each gave; null for a counter that is not there any more */
const countUp = async (
  collection: Collection,
  wants: ReadonlyMap<string, Want>,
  ids: readonly string[],
  token: Types.ObjectId,
): Promise<Map<string, number | null>> => {
  const granted = new Map<string, number | null>(ids.map((id) => [id, null]));
  if (ids.length === 0) return granted;
  const values = new Map(ids.map((id) => [id, wants.get(id)] as const));
  await collection.updateMany({ _id: { $in: [...ids] }, 'grants.token': { $ne: token } }, [
    { $set: { _want: byId(values) } },
    { $set: { _got: { $max: [0, { $min: ['$_want.count', { $subtract: ['$_want.max', '$taken'] }] }] } } },
    {
      $set: {
        taken: { $add: ['$taken', '$_got'] },
        grants: {
          $cond: [
            { $gt: ['$_got', 0] },
            { $concatArrays: [{ $slice: ['$grants', 1 - KEPT_GRANTS] }, [{ token, count: '$_got' }]] },
            '$grants',
          ],
        },
      },
    },
    { $unset: ['_want', '_got'] },
  ]);
  const counters = await collection
    .find({ _id: { $in: [...ids] } }, { batchSize: ids.length + 1, projection: { grants: 1 } })
    .toArray();
  for (const { _id, grants } of counters)
    granted.set(_id, grants.find((grant) => token.equals(grant.token))?.count ?? 0);
  return granted;
};

/** @returns ids of counters that were there before */
const insertMissing = async (collection: Collection, fresh: readonly LimitDocument[]): Promise<Set<string>> => {
  if (fresh.length === 0) return new Set();
  try {
    await collection.insertMany([...fresh], { ordered: false });
    return new Set();
  } catch (error) {
    if (!(error instanceof mongo.MongoBulkWriteError) || isUnreachable(error)) throw error;
    const refusals = [error.writeErrors].flat();
    if (refusals.some(({ code }) => code !== 11000)) throw error;
    return new Set(refusals.map(({ index }) => fresh[index]?._id ?? ''));
  }
};

/** Gives places back. Not repeatable: what a lost connection interrupts stays taken. */
export const giveBack = async (collection: Collection, counts: ReadonlyMap<string, number>): Promise<void> => {
  const ids = [...counts.keys()];
  if (ids.length === 0) return;
  await collection.updateMany({ _id: { $in: ids } }, [
    { $set: { taken: { $max: [0, { $subtract: ['$taken', byId(counts)] }] } } },
  ]);
};
