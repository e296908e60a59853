import { randomUUID } from 'node:crypto';
import type { Locks } from '#upkeep/ports';
import { CollectionOf, type Databases } from '../databases.js';
import { later, NOW } from '../expressions.js';
import { schemaOf } from '../schema.js';
import { upsert } from '../upsert.js';

interface LockDocument {
  /** The name. */
  _id: string;
  token: string;
  until: Date;
}

/** Found by _id, and as many as there are jobs: needs no index. */
const locks = new CollectionOf<LockDocument>('locks', () => schemaOf({ _id: String, token: String, until: Date }));

const FREE = new Date(0);
/** In the time of a lock. */
const RENEWALS = 4;
/** With this share of its time left a lock is used without asking: the first renewal comes before it ends. */
const ENOUGH = 0.3;

/** One process's view of the locks. */
export class MongoLocks implements Locks {
  private readonly token = randomUUID();
  /** Until when what we took is surely ours, by `performance.now()`. */
  private readonly held = new Map<string, number>();

  constructor(private readonly databases: Databases) {}

  /**
   * Kept after the work for what is left of `ttlMs`, so that whoever does it goes on doing it; the database is asked
   * again towards its end. Renewed while the work lasts; where that fails for `ttlMs`, another process may
   * begin the same beside it.
   */
  async once(name: string, ttlMs: number, work: () => Promise<void>): Promise<boolean> {
    if (!(await this.take(name, ttlMs))) return false;
    const renewing = setInterval(() => void this.renew(name, ttlMs), Math.max(1, ttlMs / RENEWALS));
    try {
      await work();
    } finally {
      clearInterval(renewing);
    }
    return true;
  }

  /** Lets the others begin at once. What cannot be freed frees itself. */
  async release(): Promise<void> {
    this.held.clear();
    await this.databases
      .inControl(locks, (collection) => collection.updateMany({ token: this.token }, { $set: { until: FREE } }))
      .catch(() => undefined);
  }

  private async take(name: string, ttlMs: number): Promise<boolean> {
    const now = performance.now();
    if ((this.held.get(name) ?? 0) - now > ttlMs * ENOUGH) return true;
    const mayTake = { $or: [{ $lte: ['$until', NOW] }, { $eq: ['$token', this.token] }] };
    const lock = await this.databases.inControl(locks, (collection) =>
      upsert(collection, { _id: name, token: '', until: FREE }, [
        {
          $set: {
            until: { $cond: [mayTake, later(NOW, ttlMs), '$until'] },
            token: { $cond: [mayTake, { $literal: this.token }, '$token'] },
          },
        },
      ]),
    );
    const ours = lock.token === this.token;
    if (ours) this.held.set(name, now + ttlMs);
    return ours;
  }

  /** One that fails is made up for by the next. */
  private async renew(name: string, ttlMs: number): Promise<void> {
    await this.databases
      .inControl(locks, (collection) =>
        collection.updateOne({ _id: name, token: this.token, until: { $ne: FREE } }, [
          { $set: { until: later(NOW, ttlMs) } },
        ]),
      )
      .catch(() => undefined);
  }
}
