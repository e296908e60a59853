import { afterAll, beforeAll, describe } from '@jest/globals';
import { MongoDeadLetterStore } from '#persistence/dead-letters/dead-letter-store';
import { deadLetters } from '#persistence/dead-letters/schema';
import { MongoAcceptStore } from '#persistence/notifications/accept-store';
import { MongoGroupStore } from '#persistence/notifications/group-store';
import { MongoNotificationStore } from '#persistence/notifications/notification-store';
import { notifications } from '#persistence/notifications/schema';
import { MongoUpkeepStore } from '#persistence/notifications/upkeep-store';
import { MongoTokenStore, tokens } from '#persistence/tokens/token-store';
import { deadLetterStoreSuite } from './dead-letter-store-suite.js';
import { openTestDatabases, type TestDatabases } from './mongodb.js';
import { notificationStoreSuite } from './notification-store-suite.js';
import { describeTokenStore } from './token-store-suite.js';

let test: TestDatabases;
beforeAll(async () => {
  test = await openTestDatabases();
});
afterAll(() => test.drop());

describe('notifications in MongoDB', () => {
  notificationStoreSuite(async () => {
    const { databases } = test;
    for (const service of ['diabetes', 'test'])
      await databases.inService(service, notifications, (collection) => collection.deleteMany({}));
    const door = new MongoAcceptStore(databases);
    return {
      store: new MongoNotificationStore(databases),
      upkeep: new MongoUpkeepStore(databases),
      groups: new MongoGroupStore(databases),
      insert: (notification, outbox) => door.insertAccepted([{ notification, idempotency: null, outbox }]),
    };
  });
});

describe('dead letters in MongoDB', () => {
  deadLetterStoreSuite(async () => {
    await test.databases.inControl(deadLetters, (collection) => collection.deleteMany({}));
    return new MongoDeadLetterStore(test.databases);
  });
});

describeTokenStore('tokens in MongoDB', async () => {
  await test.databases.inControl(tokens, (collection) => collection.deleteMany({}));
  return new MongoTokenStore(test.databases);
});
