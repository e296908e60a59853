import { Types } from 'mongoose';
import type { ApiKey, KeyStore } from '#access/ports';
import type { Databases } from '../databases.js';
import { newestFirst, objectIdOf, olderThan } from '../schema.js';
import { type KeyDocument, keys } from './schema.js';

export class MongoKeyStore implements KeyStore {
  constructor(private readonly databases: Databases) {}

  async insert({ id, ...rest }: ApiKey): Promise<void> {
    await this.databases.inControl(keys, (collection) =>
      collection.insertOne({ _id: Types.ObjectId.createFromHexString(id), ...rest }),
    );
  }

  async find(id: string): Promise<ApiKey | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    const document = await this.databases.inControl(keys, (collection) => collection.findOne({ _id }));
    return document === null ? null : keyOf(document);
  }

  async page(limit: number, after: { createdAt: Date; id: string } | null): Promise<ApiKey[]> {
    const documents = await this.databases.inControl(keys, (collection) =>
      collection.find(olderThan(after), { sort: newestFirst, limit }).toArray(),
    );
    return documents.map(keyOf);
  }

  async revoke(id: string, at: Date): Promise<boolean> {
    const changed = await this.update(id, { revokedAt: { $ifNull: ['$revokedAt', at] } });
    return changed !== null;
  }

  async expireAt(id: string, at: Date): Promise<ApiKey | null> {
    const changed = await this.update(id, {
      expiresAt: {
        $cond: [{ $gt: ['$revokedAt', null] }, '$expiresAt', { $min: [{ $ifNull: ['$expiresAt', at] }, at] }],
      },
    });
    return changed === null || changed.revokedAt !== null ? null : keyOf(changed);
  }

  private async update(id: string, fields: Record<string, unknown>): Promise<KeyDocument | null> {
    const _id = objectIdOf(id);
    if (_id === null) return null;
    return this.databases.inControl(keys, (collection) =>
      collection.findOneAndUpdate({ _id }, [{ $set: fields }], { returnDocument: 'after' }),
    );
  }
}

const keyOf = ({ _id, ...rest }: KeyDocument): ApiKey => ({ id: _id.toHexString(), ...rest });
