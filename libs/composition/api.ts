import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { countryOf, countrySettings } from '#acceptance/countries';
import { limitRequests, limitSettings } from '#acceptance/limits';
import { AmqpUsers } from '#access/amqp-users';
import { Keys, KEYS_CACHE } from '#access/keys';
import { MAX_DEVICES } from '#access/ports';
import { Recipients } from '#access/recipients';
import { accessSettings } from '#access/settings';
import type { Limits } from '#limits/limits';
import { channelLimitSettings } from '#limits/settings';
import type { Providers } from '#providers/providers';
import { ReceiptSettings } from '#channels/sms/receipts-settings';
import { inboxSettingsOf } from '#inbox/settings';
import { Actions } from '#lifecycle/actions';
import { BulkCancellation } from '#lifecycle/cancel-bulk';
import { DeadLetters } from '#lifecycle/dead-letters';
import { approvalByOthers, approvalSettings } from '#lifecycle/settings';
import { Receipts } from '#lifecycle/receipts';
import { Reports } from '#lifecycle/reports';
import { InvalidationListener } from '#messaging/invalidation';
import { MongoBulkStore } from '#persistence/bulks/bulk-store';
import { MongoDeadLetterStore } from '#persistence/dead-letters/dead-letter-store';
import { MongoIdempotencyRecords } from '#persistence/idempotency/idempotency-records';
import { MongoKeyStore } from '#persistence/keys/key-store';
import { MongoGroupStore } from '#persistence/notifications/group-store';
import { MongoNotificationStore } from '#persistence/notifications/notification-store';
import { MongoReceiptStore } from '#persistence/notifications/receipt-store';
import { MongoReadStore } from '#persistence/notifications/read-store';
import { MongoUpkeepStore } from '#persistence/notifications/upkeep-store';
import { MongoRecipientStore } from '#persistence/recipients/recipient-store';
import { BulkQueries } from '#queries/bulks';
import { GroupQueries } from '#queries/groups';
import { NotificationQueries } from '#queries/notifications';
import { StatisticsQueries } from '#queries/statistics';
import type { Templates } from '#templates/templates';
import { CleanUp } from '#upkeep/clean-up';
import { cleanUpSettings } from '#upkeep/clean-up-settings';
import { Maintenance } from '#upkeep/maintenance';
import { type Acceptance, composeAcceptance } from './acceptance.js';
import { type Base, createBase, createTracedBase, settingsOf } from './base.js';
import { type ProviderReceipts, providerReceipts } from './receipts.js';
import { type ComposedInbox, composeInbox, composeInboxMarks } from './inbox.js';
import { composeLimitActions, composeLimits, composeProviderActions, hearOfProviders } from './providers.js';
import { composeReplayer } from './replayer.js';
import { composeRenderer, composeTemplates, hearOfTemplates } from './templates.js';

export const apiParts = z.object({
  ...limitSettings.shape,
  ...channelLimitSettings.shape,
  ...countrySettings.shape,
  ...accessSettings.shape,
  ...approvalSettings.shape,
  ...ReceiptSettings.shape,
  ...cleanUpSettings.shape,
});

const composeKeys = (base: Base, ttlMs: number): Keys =>
  new Keys({
    store: new MongoKeyStore(base.databases),
    invalidations: { publish: (cache, key) => base.invalidate(cache, key) },
    now: base.now,
    cache: { ttlMs },
  });

export interface ComposedApi {
  base: Base;
  drainMs: number;
  /** What listens to the other processes. */
  listeners: readonly { start(broker: Base['broker']): void }[];
  parts: Pick<Acceptance, 'door' | 'bulks' | 'groups'> & {
    actions: Actions;
    bulkCancellation: BulkCancellation;
    deadLetters: DeadLetters;
    keys: Keys;
    recipients: Recipients;
    receipts: ProviderReceipts;
    templates: Templates;
    limits: Limits;
    providers: Providers;
    notificationQueries: NotificationQueries;
    statisticsQueries: StatisticsQueries;
    bulkQueries: BulkQueries;
    groupQueries: GroupQueries;
    inbox: ComposedInbox | null;
    maintenance: Maintenance;
    idempotency: MongoIdempotencyRecords;
    readiness: { database: () => Promise<void>; broker: () => boolean };
    registry: Base['metrics']['registry'];
    log: Base['log'];
    version: string;
  };
}

/** What a gateway is made of. @throws InvalidSettings */
export const composeApi = async (environment: NodeJS.ProcessEnv): Promise<ComposedApi> => {
  const settings = settingsOf(apiParts, environment);
  const inboxSettings = inboxSettingsOf(environment);
  const base = await createTracedBase('notification-api', settings);
  const { databases, outbox: announcer, now, metrics, broker, log } = base;
  const renderer = composeRenderer(base);
  const limits = await composeLimits(base, settings);
  const acceptance = composeAcceptance(base, settings, countryOf(settings), renderer, limits.channels);
  const store = new MongoNotificationStore(databases);
  const reads = new MongoReadStore(databases);
  const bulks = new MongoBulkStore(databases);
  const deadLetters = new MongoDeadLetterStore(databases);
  const users = new AmqpUsers(settings.AMQP_USERS);
  const keys = composeKeys(base, settings.KEY_CACHE_SECONDS * 1000);
  const inboxMarks = composeInboxMarks(base);
  const actions = new Actions({
    store,
    deadLetters,
    inbox: inboxMarks,
    announcer,
    now,
    limits: acceptance.limits,
    recipients: acceptance.recipients,
    byOthers: approvalByOthers(settings, databases.services),
    placesNeeded: (notification, at) => limitRequests(notification, at, settings),
  });
  const invalidations = new InvalidationListener({
    log,
    onInvalidation: (invalidation) => {
      if (invalidation.cache === KEYS_CACHE) keys.invalidate(invalidation.key);
      hearOfTemplates(renderer, invalidation);
      hearOfProviders(limits, invalidation);
    },
    onReconnected: () => {
      keys.invalidate(null);
      renderer.invalidate(null);
      void limits.rules.refresh();
    },
  });
  const inbox = composeInbox(base, inboxSettings);
  return {
    base,
    drainMs: settings.RABBITMQ_DRAIN_MS,
    listeners: [invalidations, ...(inbox === null ? [] : [inbox.listener])],
    parts: {
      door: acceptance.door,
      bulks: acceptance.bulks,
      groups: acceptance.groups,
      actions,
      bulkCancellation: new BulkCancellation({ bulks, store, now }),
      deadLetters: new DeadLetters({
        deadLetters,
        store,
        announcer,
        retry: (caller, id, note) => actions.retry(caller, id, note),
        replayer: composeReplayer(acceptance.intake((userId) => users.callerOf(userId))),
        now,
      }),
      keys,
      templates: composeTemplates(base, renderer),
      limits: composeLimitActions(base, limits),
      providers: composeProviderActions(base),
      recipients: new Recipients(new MongoRecipientStore(databases, MAX_DEVICES), countryOf(settings)),
      receipts: providerReceipts(
        settings,
        new Receipts({
          store: new MongoReceiptStore(databases),
          reports: new Reports({ store, inbox: inboxMarks, announcer, now, pause: (ms) => pause(ms) }),
          services: databases.services,
          now,
          pause: (ms) => pause(ms),
        }),
      ),
      notificationQueries: new NotificationQueries(reads),
      statisticsQueries: new StatisticsQueries(reads),
      bulkQueries: new BulkQueries(bulks, reads, now),
      groupQueries: new GroupQueries(new MongoGroupStore(databases)),
      inbox,
      maintenance: new Maintenance(
        new CleanUp({
          services: databases.services,
          store: new MongoUpkeepStore(databases),
          now,
          retentionDays: settings.CLEAN_UP_AFTER_DAYS,
        }),
      ),
      idempotency: new MongoIdempotencyRecords(databases),
      readiness: { database: () => databases.ping(), broker: () => broker.connected },
      registry: metrics.registry,
      log,
      version: base.version,
    },
  };
};

/** For the command that makes the first key. @throws InvalidSettings */
export const composeKeyCommand = (environment: NodeJS.ProcessEnv): { base: Base; keys: Keys } => {
  const base = createBase('notification-api', settingsOf(z.object({}), { ...environment, LOG_LEVEL: 'silent' }));
  return { base, keys: composeKeys(base, 0) };
};
