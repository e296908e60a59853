import { randomUUID } from 'node:crypto';
import type { StoredToken, TokenStore } from '#domain/token-store';
import { CollectionOf, type Databases } from '../databases.js';
import { later, NOW } from '../expressions.js';
import { schemaOf } from '../schema.js';
import { upsert } from '../upsert.js';

interface TokenDocument {
  /** The name. */
  _id: string;
  sealed: string;
  endsAt: Date;
  lease: { token: string; until: Date };
  /** When it was last looked up: times are compared by one clock. */
  lookedAt: Date;
}

/** Found by _id, and as many as there are providers with such tokens: needs no index. */
export const tokens = new CollectionOf<TokenDocument>('tokens', () =>
  schemaOf({ _id: String, sealed: String, endsAt: Date, lease: { token: String, until: Date }, lookedAt: Date }),
);

const PAST = new Date(0);
const FREE = { token: '', until: PAST };

export class MongoTokenStore implements TokenStore {
  constructor(private readonly databases: Databases) {}

  async take(name: string, due: { renewBeforeMs: number; leaseMs: number }): Promise<StoredToken> {
    const token = randomUUID();
    const isDue = {
      $and: [{ $lte: ['$endsAt', later(NOW, due.renewBeforeMs)] }, { $lte: ['$lease.until', NOW] }],
    };
    const beginning = { _id: name, sealed: '', endsAt: PAST, lease: FREE, lookedAt: PAST };
    const document = await this.databases.inControl(tokens, (collection) =>
      upsert(collection, beginning, [
        {
          $set: {
            lease: { $cond: [isDue, { token: { $literal: token }, until: later(NOW, due.leaseMs) }, '$lease'] },
            lookedAt: NOW,
          },
        },
      ]),
    );
    const leftMs = Math.max(0, document.endsAt.getTime() - document.lookedAt.getTime());
    return {
      sealed: leftMs === 0 ? null : document.sealed,
      leftMs,
      lease: document.lease.token === token ? token : null,
    };
  }

  async put(name: string, lease: string, token: { sealed: string; lifeMs: number }): Promise<void> {
    await this.databases.inControl(tokens, (collection) =>
      collection.updateOne({ _id: name, 'lease.token': lease }, [
        { $set: { sealed: { $literal: token.sealed }, endsAt: later(NOW, token.lifeMs), lease: { $literal: FREE } } },
      ]),
    );
  }

  async giveUp(name: string, lease: string): Promise<void> {
    await this.databases.inControl(tokens, (collection) =>
      collection.updateOne({ _id: name, 'lease.token': lease }, { $set: { lease: FREE } }),
    );
  }

  async invalidate(name: string, sealed: string): Promise<void> {
    await this.databases.inControl(tokens, (collection) =>
      collection.updateOne({ _id: name, sealed }, { $set: { sealed: '', endsAt: PAST } }),
    );
  }
}
