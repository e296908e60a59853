import { describe } from '@jest/globals';
import { deadLetterStoreSuite } from './dead-letter-store-suite.js';
import { MemoryDeadLetters } from './memory-dead-letters.js';
import { MemoryNotifications } from './memory-notifications.js';
import { MemoryLimitStore, MemoryProviderStore } from './memory-providers.js';
import { MemoryTemplateStore } from './memory-templates.js';
import { MemoryTokenStore } from './memory-tokens.js';
import { notificationStoreSuite } from './notification-store-suite.js';
import { limitStoreSuite, providerStoreSuite } from './provider-store-suite.js';
import { templateStoreSuite } from './template-store-suite.js';
import { describeTokenStore } from './token-store-suite.js';

describe('notifications in memory', () => {
  notificationStoreSuite(() => {
    const store = new MemoryNotifications(new Date());
    const insert = (...[notification, outbox]: Parameters<MemoryNotifications['add']>): Promise<unknown> =>
      Promise.resolve(store.add(notification, outbox));
    return { store, upkeep: store, groups: store, insert };
  });
});

describe('dead letters in memory', () => {
  deadLetterStoreSuite(() => new MemoryDeadLetters(new Date()));
});

describe('templates in memory', () => {
  let clock = 0;
  templateStoreSuite(() => new MemoryTemplateStore(() => new Date((clock += 1))));
});

describeTokenStore('tokens in memory', () => new MemoryTokenStore());

describe('limits and providers in memory', () => {
  limitStoreSuite(() => new MemoryLimitStore());
  providerStoreSuite(() => new MemoryProviderStore());
});
