import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { GroupCommit, type Settled } from '#batching/group-commit';
import { Unavailable } from '#domain/errors';
import { type LimitRule, placesOf, type PlacesState } from '#domain/places';
import { CollectionOf, type Databases } from '../databases.js';
import { isDuplicateKey, isUnreachable } from '../errors.js';
import { schemaOf } from '../schema.js';

/** The places of one limit, as they were given out last. */
export interface PlacesDocument {
  /** What is limited. */
  _id: string;
  /** Grows by one with each batch: who read an older one writes nothing. */
  version: number;
  /** Of the batch that wrote it. */
  token: string;
  state: PlacesState;
}

/** Found by _id, and as many as there are limits: needs no index. */
export const limitPlaces = new CollectionOf<PlacesDocument>('limit_places', () =>
  schemaOf({ _id: String, version: { type: Number, required: true }, token: String, state: {} }),
);

/** One that wants a place. */
export interface PlaceWish {
  rule: LimitRule;
  mode: 'fail' | 'wait';
}
/** `at` may lie ahead for those that wait. */
export type PlaceGrant = { granted: true; at: Date } | { granted: false; retryAfterMs: number };

/** Nothing is reserved further ahead, in milliseconds: no notification may be open for more than 80 days. */
const HORIZON_MS = 60 * 86_400_000;
/** Batches of other processes that came in between, before it is given up. */
const MAX_TRIES = 100;
const MAX_BATCH = 2_000;
/** After so many tries others are let go first, for up to so long a time each, in milliseconds. */
const POLITE_AFTER = 3;
const POLITE_MS = 10;

type Collection = mongo.Collection<PlacesDocument>;

/**
 * Gives out places of limits; exact over all processes. What wants places of one limit at the same time is reserved in
 * one write, by compare-and-set on the version. Each write leaves its token behind, so that a lost answer is known to
 * have been written; where that cannot be told any more, its places are wasted.
 */
export class MongoPlaces {
  private readonly groups = new Map<string, GroupCommit<PlaceWish, PlaceGrant>>();
  /** As last seen: it may be older than what is stored, which the write then tells. */
  private readonly seen = new Map<string, PlacesDocument>();

  constructor(
    private readonly databases: Databases,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws Unavailable */
  reserve(key: string, wish: PlaceWish): Promise<PlaceGrant> {
    let group = this.groups.get(key);
    if (group === undefined) {
      const flush = (wishes: readonly PlaceWish[]): Promise<Settled<PlaceGrant>[]> =>
        this.databases.inControl(limitPlaces, (collection) => this.give(collection, key, wishes));
      this.groups.set(key, (group = new GroupCommit(flush, { maxBatch: MAX_BATCH, maxInFlight: 1 })));
    }
    return group.add(wish);
  }

  private async give(
    collection: Collection,
    key: string,
    wishes: readonly PlaceWish[],
  ): Promise<Settled<PlaceGrant>[]> {
    const token = randomUUID();
    let before = this.seen.get(key) ?? (await collection.findOne({ _id: key }));
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { grants, state } = this.plan(before?.state ?? null, wishes);
      // What others took since can only have made places fewer.
      if (state === null) return grants;
      const after: PlacesDocument = { _id: key, version: (before?.version ?? 0) + 1, token, state };
      const isWritten = await write(collection, after);
      if (isWritten) {
        this.seen.set(key, after);
        return grants;
      }
      if (tries >= POLITE_AFTER) await pause(Math.random() * POLITE_MS);
      before = await collection.findOne({ _id: key });
    }
    throw new Unavailable('the database');
  }

  /** @returns state null where nothing was given out */
  private plan(
    before: PlacesState | null,
    wishes: readonly PlaceWish[],
  ): { grants: Settled<PlaceGrant>[]; state: PlacesState | null } {
    const now = this.now();
    let state = before;
    let isChanged = false;
    const grants: Settled<PlaceGrant>[] = [];
    // Those in one batch have the same rule, but for the moment in which it is changed.
    for (const [rule, group] of runsOf(wishes)) {
      const places = placesOf(rule, state, now);
      for (const { mode } of group) {
        const at = places.next();
        const isRefused = at > now + (mode === 'fail' ? 0 : HORIZON_MS);
        grants.push({
          value: isRefused ? { granted: false, retryAfterMs: at - now } : { granted: true, at: new Date(at) },
        });
        if (isRefused) continue;
        places.take();
        isChanged = true;
      }
      state = places.state;
    }
    return { grants, state: isChanged ? state : null };
  }
}

const runsOf = (wishes: readonly PlaceWish[]): [LimitRule, PlaceWish[]][] => {
  const runs: [LimitRule, PlaceWish[]][] = [];
  for (const wish of wishes) {
    const last = runs.at(-1);
    if (last?.[0] === wish.rule) last[1].push(wish);
    else runs.push([wish.rule, [wish]]);
  }
  return runs;
};

/** @returns whether it stands there now */
const write = async (collection: Collection, after: PlacesDocument): Promise<boolean> => {
  const { _id, version, token, state } = after;
  try {
    if (version === 1) {
      await collection.insertOne(after);
      return true;
    }
    const { matchedCount } = await collection.updateOne(
      { _id, version: version - 1 },
      { $set: { version, token, state } },
    );
    return matchedCount === 1;
  } catch (error) {
    if (!isUnreachable(error) && !isDuplicateKey(error)) throw error;
    // Written or not, the answer was lost; or a repetition of the driver's met its own first try.
    return (await collection.findOne({ _id }, { projection: { token: 1 } }))?.token === token;
  }
};
