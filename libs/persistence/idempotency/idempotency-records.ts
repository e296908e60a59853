import { randomUUID } from 'node:crypto';
import type { mongo } from 'mongoose';
import type { IdempotencyRecords } from '#access/ports';
import type { Databases } from '../databases.js';
import { later, NOW } from '../expressions.js';
import { upsert } from '../upsert.js';
import { type IdempotencyDocument, idempotencyRecords } from './schema.js';

type Begun = Awaited<ReturnType<IdempotencyRecords['begin']>>;

/** How long a request has a key before another may take it over. */
const TAKEN_MS = 60_000;
/** The 24 hours that are promised, and a little more. */
const KEPT_MS = 25 * 3_600_000;

export class MongoIdempotencyRecords implements IdempotencyRecords {
  constructor(private readonly databases: Databases) {}

  async begin(scope: string, fingerprint: string): Promise<Begun> {
    const token = randomUUID();
    const past = new Date(0);
    const record = await this.databases.inControl(idempotencyRecords, (collection) =>
      upsert(collection, { _id: scope, fingerprint, token: '', until: past, expiresAt: past }, [
        { $set: taken(token, fingerprint) },
      ]),
    );
    if (record.token === token) return { kind: 'begun' };
    const { answer } = record;
    if (answer === undefined) return { kind: 'in_use' };
    if (record.fingerprint !== fingerprint) return { kind: 'reused' };
    return { kind: 'replay', status: answer.status, body: JSON.parse(answer.body) as unknown };
  }

  async complete(scope: string, status: number, body: unknown): Promise<void> {
    const answer = { status, body: JSON.stringify(body ?? null) };
    await this.databases.inControl(idempotencyRecords, (collection) =>
      collection.updateOne({ _id: scope }, [
        { $set: { answer: { $literal: answer }, expiresAt: later(NOW, KEPT_MS) } },
      ]),
    );
  }

  async release(scope: string): Promise<void> {
    await this.databases.inControl(idempotencyRecords, (collection) =>
      collection.deleteOne({ _id: scope, answer: { $exists: false } }),
    );
  }
}

/** Takes a key that is new, or whose request never came to an end; else leaves it as it is. */
const taken = (token: string, fingerprint: string): mongo.Document => {
  const isFree = {
    $and: [{ $eq: [{ $type: '$answer' }, 'missing'] }, { $lte: ['$until', NOW] }],
  };
  const ifFree = (value: unknown, field: keyof IdempotencyDocument): mongo.Document => ({
    $cond: [isFree, value, `$${field}`],
  });
  return {
    token: ifFree({ $literal: token }, 'token'),
    fingerprint: ifFree({ $literal: fingerprint }, 'fingerprint'),
    until: ifFree(later(NOW, TAKEN_MS), 'until'),
    expiresAt: ifFree(later(NOW, KEPT_MS), 'expiresAt'),
  };
};
