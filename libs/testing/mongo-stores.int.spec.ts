import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoDeadLetterStore } from '#persistence/dead-letters/dead-letter-store';
import { deadLetters } from '#persistence/dead-letters/schema';
import { limitRules, MongoLimitStore } from '#persistence/limits/rule-store';
import { MongoAcceptStore } from '#persistence/notifications/accept-store';
import { MongoGroupStore } from '#persistence/notifications/group-store';
import { MongoNotificationStore } from '#persistence/notifications/notification-store';
import { notifications } from '#persistence/notifications/schema';
import { MongoUpkeepStore } from '#persistence/notifications/upkeep-store';
import { MongoProviderStore } from '#persistence/providers/provider-store';
import { disabledProviders, providerReports } from '#persistence/providers/schema';
import { MongoTokenStore, tokens } from '#persistence/tokens/token-store';
import { deadLetterStoreSuite } from './dead-letter-store-suite.js';
import { openTestDatabases, type TestDatabases } from './mongodb.js';
import { notificationStoreSuite } from './notification-store-suite.js';
import { limitStoreSuite, providerStoreSuite } from './provider-store-suite.js';
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

describe('limits and providers in MongoDB', () => {
  limitStoreSuite(async () => {
    await test.databases.inControl(limitRules, (collection) => collection.deleteMany({}));
    return new MongoLimitStore(test.databases);
  });
  providerStoreSuite(async () => {
    await test.databases.inControl(disabledProviders, (collection) => collection.deleteMany({}));
    await test.databases.inControl(providerReports, (collection) => collection.deleteMany({}));
    return new MongoProviderStore(test.databases);
  });

  it('are found by _id and by time alone', async () => {
    const store = new MongoProviderStore(test.databases);
    const plans = await test.plansOf(async () => {
      await store.reports(new Date());
      await store.enable('sms', 'orange');
    });
    expect(plans.flatMap(({ indexes }) => indexes)).toEqual(['retention', '_id_']);
  });
});
