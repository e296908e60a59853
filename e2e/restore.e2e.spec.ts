import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { type House, send, startHouse, until } from '#testing/house';
import { runApp } from '#testing/processes';

/** What docs/deployment.md says of backups: the broker needs none, and the database's may be older than what was sent. */
describe('a store that is lost', () => {
  const COUNT = 20;
  const isSent = ({ state }: { state: string }): boolean => state === 'sent';
  let house: House;
  let connection: mongoose.Connection;

  beforeAll(async () => {
    connection = await mongoose.createConnection(process.env['MONGODB_URI'] ?? '').asPromise();
  });
  afterAll(() => connection.close());
  beforeEach(async () => {
    house = await startHouse({ name: 'restore', env: { OVERDUE_EVERY_S: '1', OVERDUE_MARGIN_S: '1' } });
    // So that somebody has claimed in this lane: otherwise there may be nobody yet, which is no loss.
    await allSent([(await email(0)).id]);
  }, 120_000);
  afterEach(() => house.stop(), 60_000);

  const email = (index: number): Promise<{ id: string }> =>
    send(house, {
      serviceName: 'test',
      channel: 'email',
      to: `p-${index}@example.org`,
      title: 'Insulin',
      body: '8:00',
    });
  const allSent = (ids: readonly string[]): Promise<unknown> =>
    Promise.all(ids.map((id) => until(house, id, isSent, 60_000)));
  const atProvider = async (): Promise<unknown> => {
    const counts = (await (await fetch(`${house.sandbox.url}/counts`)).json()) as Record<string, unknown>;
    return counts['email'];
  };

  const prefix = (): string => house.env['CARILLON_DATABASE_PREFIX'] ?? '';
  const databases = async (): Promise<string[]> => {
    const { databases: all } = await connection.getClient().db().admin().listDatabases();
    return all.map(({ name }) => name).filter((name) => name.startsWith(prefix()));
  };
  /** Waits until the broker has confirmed all wake-ups, and the documents no longer owe them. */
  const untilTold = async (): Promise<void> => {
    const notifications = connection.getClient().db(`${prefix()}test`).collection('notifications');
    while ((await notifications.countDocuments({ outbox: { $exists: true } })) > 0);
  };

  /** Accepted while nobody sends, and with the broker. */
  const waiting = async (): Promise<string[]> => {
    await house.dispatchers[0]?.stop();
    const accepted = await Promise.all(Array.from({ length: COUNT }, (_, index) => email(index)));
    await untilTold();
    return accepted.map(({ id }) => id);
  };

  it('if it is the broker: what it held is found again in the database', async () => {
    const ids = await waiting();
    await house.vhost.lose();
    await house.start('dispatcher', 'dispatcher-2');
    await allSent(ids);
    expect(await atProvider()).toMatchObject({ received: COUNT + 1, redelivered: 0, duplicates: 0 });
  }, 120_000);

  it('if it is the database: what a backup takes for pending is sent once more, under the same ids', async () => {
    const ids = await waiting();
    const backup = new Map<string, Map<string, mongoose.mongo.Document[]>>();
    for (const database of await databases()) {
      const db = connection.getClient().db(database);
      const collections = new Map<string, mongoose.mongo.Document[]>();
      for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray())
        collections.set(name, await db.collection(name).find().toArray());
      backup.set(database, collections);
    }
    const dispatcher = await house.start('dispatcher', 'dispatcher-2');
    await allSent(ids);

    for (const running of [...house.gateways, dispatcher, ...house.schedulers]) await running.stop();
    for (const [database, collections] of backup) {
      const db = connection.getClient().db(database);
      await db.dropDatabase();
      for (const [name, documents] of collections)
        if (documents.length > 0) await db.collection(name).insertMany(documents);
    }
    await runApp('scheduler', ['create-indexes'], house.env);
    const port = Number(new URL(house.gateways[0]?.url ?? '').port);
    await house.start('notification-api', 'notification-api-2', port);
    for (const app of ['dispatcher', 'scheduler'] as const) await house.start(app, `${app}-3`);

    await allSent(ids);
    expect(await atProvider()).toMatchObject({ received: 1 + 2 * COUNT, redelivered: COUNT, duplicates: 0 });
  }, 120_000);
});
