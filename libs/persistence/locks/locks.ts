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

export class MongoLocks implements Locks {
  constructor(private readonly databases: Databases) {}

  /** Renewed while `work` lasts; where that fails for `ttlMs`, another process may begin the same beside it. */
  async once(name: string, ttlMs: number, work: () => Promise<void>): Promise<boolean> {
    const token = randomUUID();
    const isFree = { $lte: ['$until', NOW] };
    const lock = await this.databases.inControl(locks, (collection) =>
      upsert(collection, { _id: name, token: '', until: FREE }, [
        {
          $set: {
            token: { $cond: [isFree, { $literal: token }, '$token'] },
            until: { $cond: [isFree, later(NOW, ttlMs), '$until'] },
          },
        },
      ]),
    );
    if (lock.token !== token) return false;
    const renewing = setInterval(() => void this.renew(name, token, ttlMs), Math.max(1, ttlMs / RENEWALS));
    try {
      await work();
    } finally {
      clearInterval(renewing);
      await this.free(name, token);
    }
    return true;
  }

  /** One that fails is made up for by the next. */
  private async renew(name: string, token: string, ttlMs: number): Promise<void> {
    await this.databases
      .inControl(locks, (collection) =>
        collection.updateOne({ _id: name, token, until: { $ne: FREE } }, [{ $set: { until: later(NOW, ttlMs) } }]),
      )
      .catch(() => undefined);
  }

  /** Not to be freed is no harm: the lock ends by itself. */
  private async free(name: string, token: string): Promise<void> {
    await this.databases
      .inControl(locks, (collection) => collection.updateOne({ _id: name, token }, { $set: { until: FREE } }))
      .catch(() => undefined);
  }
}
