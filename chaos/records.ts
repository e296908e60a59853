import { mongo } from 'mongoose';
import { SERVICES } from './load.js';

/** How the notifications of a run stand. */
export interface Standing {
  pending: number;
  /** Claimed by a dispatcher and not settled. */
  sending: number;
  /** Of which the broker is still to be told something. */
  owed: number;
  failed: number;
}

/** What the database says, asked directly. */
export class Records {
  constructor(
    private readonly client: mongo.MongoClient,
    private readonly prefix: string,
  ) {}

  static async open(uri: string, prefix: string): Promise<Records> {
    const client = new mongo.MongoClient(uri, { serverSelectionTimeoutMS: 60_000 });
    await client.connect();
    return new Records(client, prefix);
  }

  async standing(): Promise<Standing> {
    const [pending, sending, owed, failed] = await Promise.all([
      this.count({ status: 'pending' }),
      this.count({ state: 'sending' }),
      this.count({ status: 'pending', 'outbox.at': { $exists: true } }),
      this.count({ state: 'failed' }),
    ]);
    return { pending, sending, owed, failed };
  }

  /** Claimed and not settled. */
  async sending(): Promise<string[]> {
    const found = await Promise.all(
      this.collections.map((collection) => collection.find({ state: 'sending' }, { projection: { _id: 1 } }).toArray()),
    );
    return found.flat().map(({ _id }) => String(_id));
  }

  /** Taken over from a dispatcher that did not settle them. */
  async takenOver(): Promise<string[]> {
    const found = await Promise.all(
      this.collections.map((collection) =>
        collection.find({ 'history.reason': 'dispatcher_vanished' }, { projection: { _id: 1 } }).toArray(),
      ),
    );
    return found.flat().map(({ _id }) => String(_id));
  }

  /** Waiting for another attempt; and of these, whose time has come. */
  async retries(): Promise<{ waiting: number; due: number }> {
    const retrying = { status: 'pending', state: 'approved', attempt: { $gt: 0 } };
    const [waiting, due] = await Promise.all([
      this.count(retrying),
      this.count({ ...retrying, nextAttemptAt: { $lte: new Date() } }),
    ]);
    return { waiting, due };
  }

  /** Scheduled ones whose time has come and whose wake-up is no longer owed. */
  woken(): Promise<number> {
    return this.count({ dueAt: { $lte: new Date() }, 'outbox.at': { $exists: false } });
  }

  /** How many notifications carry each reference; the load gives every request one of its own. */
  async byReference(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const collection of this.collections)
      for await (const { reference } of collection.find({}, { projection: { _id: 0, reference: 1 } }))
        found.set(String(reference), (found.get(String(reference)) ?? 0) + 1);
    return found;
  }

  /** For people: where these stand. */
  async describe(ids: readonly string[]): Promise<string[]> {
    const found = new Map<string, string>();
    for (const collection of this.collections)
      for await (const document of collection.find({
        _id: { $in: ids.map((id) => mongo.ObjectId.createFromHexString(id)) },
      })) {
        const { _id, channel, state, version, attempt, nextAttemptAt, outbox } = document as Record<string, unknown>;
        const where = { id: String(_id), channel, state, version, attempt, nextAttemptAt, outbox };
        found.set(String(_id), JSON.stringify(where));
      }
    return ids.map((id) => found.get(id) ?? `${id}: not in the database`);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async count(filter: mongo.Document): Promise<number> {
    const counts = await Promise.all(this.collections.map((collection) => collection.countDocuments(filter)));
    return counts.reduce((sum, one) => sum + one, 0);
  }

  private get collections(): mongo.Collection[] {
    return SERVICES.map((service) => this.client.db(`${this.prefix}${service}`).collection('notifications'));
  }
}
