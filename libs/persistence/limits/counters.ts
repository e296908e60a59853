import { randomUUID } from 'node:crypto';
import { mongo } from 'mongoose';
import { isUnreachable } from '../errors.js';
import { byId } from '../expressions.js';
import type { LimitDocument } from './schema.js';

type Collection = mongo.Collection<LimitDocument>;

const MINUTE_MS = 60_000;

export const minuteNumber = (at: Date): number => Math.floor(at.getTime() / MINUTE_MS);
export const minuteDate = (minute: number): Date => new Date(minute * MINUTE_MS);
export const counterId = (key: string, minute: number): string => `${key}|${String(minute).padStart(8, '0')}`;

/** Places that one batch wants in one counter. */
export interface Want {
  minute: number;
  count: number;
  max: number;
}

/** Grants kept on a counter: with a maximum beyond it, the answer to a batch may be lost, and its places wasted. */
const KEPT_GRANTS = 500;

/**
 * Takes places in many counters at once: at most as many as each has left. New counters are inserted, those that exist
 * already counted up, in one write each. Each write is atomic for its document, and leaves the token of its batch
 * behind: it can be repeated, and tells afterwards who got what. A transaction would say the same, but those of several
 * gateways conflict on a counter that they share.
 * @returns how many each counter gave; one that is full is not in it
 */
export const take = async (collection: Collection, wants: ReadonlyMap<string, Want>): Promise<Map<string, number>> => {
  const token = randomUUID();
  try {
    return await takeOnce(collection, wants, token);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return takeOnce(collection, wants, token);
  }
};

const takeOnce = async (
  collection: Collection,
  wants: ReadonlyMap<string, Want>,
  token: string,
): Promise<Map<string, number>> => {
  const fresh = [...wants].flatMap(([_id, { minute, count, max }]) => {
    const taken = Math.min(count, max);
    return taken <= 0 ? [] : [{ _id, minute: minuteDate(minute), taken, grants: [{ token, count: taken }] }];
  });
  const existing = await insertMissing(collection, fresh);
  const granted = new Map(fresh.flatMap(({ _id, taken }) => (existing.has(_id) ? [] : [[_id, taken] as const])));
  if (existing.size === 0) return granted;

  const ids = [...existing];
  const values = new Map(ids.map((id) => [id, wants.get(id)] as const));
  await collection.updateMany({ _id: { $in: ids }, 'grants.token': { $ne: token } }, [
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
    .find({ _id: { $in: ids } }, { batchSize: ids.length + 1, projection: { grants: 1 } })
    .toArray();
  for (const { _id, grants } of counters) {
    const got = grants.find((grant) => grant.token === token)?.count ?? 0;
    if (got > 0) granted.set(_id, got);
  }
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
