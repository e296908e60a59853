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
export const locks = new CollectionOf<LockDocument>('locks', () =>
  schemaOf({ _id: String, token: String, until: Date }),
);

const FREE = new Date(0);
/** In the time of a lock. */
const RENEWALS = 4;
/** With this share of its time left a lock is used without asking: the first renewal comes before it ends. */
const ENOUGH = 0.3;

interface Held {
  /** Until when it is surely ours, by a clock that only goes on, in milliseconds. */
  until: number;
  ttlMs: number;
}

/** One process's view of the locks. */
export class MongoLocks implements Locks {
  private readonly token = randomUUID();
  private readonly held = new Map<string, Held>();

  constructor(
    private readonly databases: Databases,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Kept after the work for what is left of `ttlMs`, so that whoever does it goes on doing it. The database is asked
   * again towards its end, for all that we hold at once. Renewed while the work lasts; where that fails for `ttlMs`, another process may
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
    const now = this.now();
    const left = (this.held.get(name)?.until ?? 0) - now;
    if (left > ttlMs * ENOUGH || (left > 0 && (await this.keepAll(ttlMs)))) return true;
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
    if (ours) this.held.set(name, { until: now + ttlMs, ttlMs });
    return ours;
  }

  /** Keeps all that we hold for so long; answers whether none of them was lost. One that was is asked for by itself. */
  private async keepAll(ttlMs: number): Promise<boolean> {
    const now = this.now();
    const names = [...this.held].flatMap(([name, { until, ttlMs: own }]) =>
      until > now && own === ttlMs ? [name] : [],
    );
    if ((await this.extend(names, ttlMs)) < names.length) {
      for (const name of names) this.held.delete(name);
      return false;
    }
    for (const name of names) this.held.set(name, { until: now + ttlMs, ttlMs });
    return true;
  }

  /** One that fails is made up for by the next. */
  private async renew(name: string, ttlMs: number): Promise<void> {
    await this.extend([name], ttlMs).catch(() => 0);
  }

  /** Answers how many of these still are ours. */
  private async extend(names: readonly string[], ttlMs: number): Promise<number> {
    const { matchedCount } = await this.databases.inControl(locks, (collection) =>
      collection.updateMany({ _id: { $in: [...names] }, token: this.token, until: { $ne: FREE } }, [
        { $set: { until: later(NOW, ttlMs) } },
      ]),
    );
    return matchedCount;
  }
}
