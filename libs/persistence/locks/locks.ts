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

export class MongoLocks implements Locks {
  constructor(private readonly databases: Databases) {}

  /** Where `work` takes longer than `ttlMs`, another process may begin the same beside it. */
  async once(name: string, ttlMs: number, work: () => Promise<void>): Promise<boolean> {
    const token = randomUUID();
    const isFree = { $lte: ['$until', NOW] };
    const lock = await this.databases.inControl(locks, (collection) =>
      upsert(collection, { _id: name, token: '', until: new Date(0) }, [
        {
          $set: {
            token: { $cond: [isFree, { $literal: token }, '$token'] },
            until: { $cond: [isFree, later(NOW, ttlMs), '$until'] },
          },
        },
      ]),
    );
    if (lock.token !== token) return false;
    try {
      await work();
    } finally {
      await this.free(name, token);
    }
    return true;
  }

  /** Not to be freed is no harm: the lock ends by itself. */
  private async free(name: string, token: string): Promise<void> {
    await this.databases
      .inControl(locks, (collection) => collection.updateOne({ _id: name, token }, { $set: { until: new Date(0) } }))
      .catch(() => undefined);
  }
}
