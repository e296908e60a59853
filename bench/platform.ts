import { setTimeout as delay } from 'node:timers/promises';
import { mongo } from 'mongoose';
import type { CreateNotificationInput } from '#contracts/http/notification';
import type { Channel } from '#contracts/vocabulary';
import { type House, startHouse } from '#testing/house';
import { postRequest } from './connection.js';
import type { BenchOptions } from './options.js';
import { Sandbox } from './sandbox.js';

export const SERVICE = 'diabetes';

/** The platform as it is shipped, with doors into its database and its sandbox. */
export interface Platform {
  house: House;
  sandbox: Sandbox;
  gateway: URL;
  mongo: mongo.MongoClient;
  /** Notifications of a service. */
  readonly notifications: (service?: string) => mongo.Collection;
  readonly bulks: mongo.Collection;
  readonly claims: mongo.Collection;
  /** What the floors use: a database of their own beside the product's, on the same server. */
  floorDatabase: string;
  floorEnv: Record<string, string>;
}

export const startPlatform = async (
  { servers, cleanUps, say }: BenchOptions,
  apps: { dispatchers?: number; schedulers?: number } = {},
  env: Record<string, string> = {},
): Promise<Platform> => {
  say('starting the platform');
  const house = await startHouse({
    name: 'bench',
    gateways: 1,
    dispatchers: apps.dispatchers ?? 0,
    schedulers: apps.schedulers ?? 1,
    env: {
      NODE_ENV: 'production',
      // Counted as always; only the number is out of the way of one client that plays all callers.
      KEY_RATE_PER_MINUTE: '100000000',
      ...env,
    },
  });
  cleanUps.add('the platform', () => house.stop());
  const client = new mongo.MongoClient(servers.mongodbUri, { writeConcern: { w: 'majority', journal: true } });
  cleanUps.add('the database client', () => client.close());
  const prefix = house.env['CARILLON_DATABASE_PREFIX'] ?? '';
  const gateway = house.gateways[0]?.url;
  if (gateway === undefined) throw new Error('no gateway');
  const floorDatabase = `${prefix}floor`;
  return {
    house,
    sandbox: new Sandbox(house.sandbox.url),
    gateway: new URL(gateway),
    mongo: client,
    notifications: (service = SERVICE) => client.db(`${prefix}${service}`).collection('notifications'),
    bulks: client.db(`${prefix}carillon`).collection('bulks'),
    claims: client.db(`${prefix}carillon`).collection('claims'),
    floorDatabase,
    floorEnv: { ...house.env, FLOOR_DATABASE: floorDatabase, FLOOR_VHOST_URI: house.vhost.uri },
  };
};

/** Users take turns, so that the limits are at work and nobody meets one. */
const USERS = 100_000;

/** Targets as they are in life: a device token has some 150 characters. */
const targetOf: Record<Channel, (user: number, sandboxUrl: string) => string> = {
  push: (user) => `d${String(user).padStart(21, '0')}:APA91b${'Hx7_Qk-2'.repeat(16)}`,
  email: (user) => `user-${user}@example.org`,
  sms: (user) => `+33612${String(user % 1_000_000).padStart(6, '0')}`,
  webhook: (_, sandboxUrl) => `${sandboxUrl}/webhook/bench`,
  slack: () => '#bench',
  'in-app': (user) => `p-${user}`,
};

export const notificationFor = (
  number: number,
  channel: Channel,
  sandboxUrl: string,
  service = SERVICE,
): CreateNotificationInput => ({
  serviceName: service,
  userId: `p-${number % USERS}`,
  channel,
  to: [targetOf[channel](number % USERS, sandboxUrl)],
  type: 'reminder',
  title: 'Insulin',
  body: 'Time for your 8:00 dose. Please confirm in the app when you have taken it.',
  data: { rx: `rx-${number}`, screen: 'doses' },
  reference: `rx-${number}`,
});

let runs = 0;
const RUN_APART = 37_000;

/** Requests that send one notification each, all with keys of their own. */
export const sendRequests = (
  { house, gateway }: Platform,
  channel: Channel,
  service = SERVICE,
  change: Partial<CreateNotificationInput> = {},
): ((number: number) => string) => {
  const run = `${process.pid}-${(runs += 1)}`;
  // The users of one run are not those of the run before, which may be in the same minute.
  const first = (runs * RUN_APART) % USERS;
  return (number) =>
    postRequest(
      gateway,
      '/api/notifications',
      { authorization: `Bearer ${house.key}`, 'idempotency-key': `${run}-${number}` },
      JSON.stringify({ ...notificationFor(first + number, channel, house.sandbox.url, service), ...change }),
    );
};

/** Waits until no document matches. */
export const untilNone = async (
  collection: mongo.Collection,
  filter: mongo.Document,
  everyMs: number,
): Promise<void> => {
  while ((await collection.countDocuments(filter, { limit: 1 })) > 0) await delay(everyMs);
};

/** Waits until the broker has confirmed all that documents owe to it: what comes next has the machine to itself. */
export const untilPublished = async ({ notifications, bulks, claims }: Platform, service = SERVICE): Promise<void> => {
  for (const collection of [notifications(service), bulks, claims])
    await untilNone(collection, { 'outbox.at': { $exists: true } }, 200);
};
