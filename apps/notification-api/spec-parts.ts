import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Bulks } from '#acceptance/bulks';
import { Door } from '#acceptance/door';
import { Groups } from '#acceptance/groups';
import { limitSettings } from '#acceptance/limits';
import { recipientKey } from '#acceptance/ports';
import { type IssuedKey, Keys } from '#access/keys';
import { Recipients } from '#access/recipients';
import { ReceiptSettings } from '#channels/sms/receipts-settings';
import { providerReceipts } from '#composition/receipts';
import type { CreateKey } from '#contracts/http/keys';
import { SCOPES } from '#contracts/vocabulary';
import type { DeadLetter } from '#domain/dead-letter';
import { InvalidTransition, NotFound } from '#domain/errors';
import type { Notification } from '#domain/notification';
import { Inbox } from '#inbox/inbox';
import { InboxStreams } from '#inbox/streams';
import { InboxTokens } from '#inbox/tokens';
import type { Receipt } from '#lifecycle/receipts';
import { BulkQueries } from '#queries/bulks';
import { GroupQueries } from '#queries/groups';
import { NotificationQueries } from '#queries/notifications';
import { StatisticsQueries } from '#queries/statistics';
import {
  MemoryAcceptStore,
  MemoryRecipientLookup,
  MemoryUserLimits,
  RecordingAnnouncer,
} from '#testing/memory-acceptance';
import {
  MemoryIdempotencyRecords,
  MemoryKeyStore,
  MemoryRecipientStore,
  RecordingInvalidations,
} from '#testing/memory-access';
import { idsInTurn } from '#testing/builders';
import { MemoryGroups } from '#testing/memory-groups';
import { MemoryInboxStore } from '#testing/memory-inbox';
import { MemoryNotifications } from '#testing/memory-notifications';
import { MemoryBulks, MemoryReadStore } from '#testing/memory-queries';
import { MemoryChannelLimits } from '#testing/memory-limits';
import { MemoryLimitStore, MemoryProviderStore } from '#testing/memory-providers';
import { Limits } from '#limits/limits';
import { LimitRules } from '#limits/rules';
import { channelLimitSettings } from '#limits/settings';
import { Providers } from '#providers/providers';
import { MemoryTemplateStore } from '#testing/memory-templates';
import { CleanUp } from '#upkeep/clean-up';
import { Maintenance } from '#upkeep/maintenance';
import { Renderer } from '#templates/renderer';
import { Templates } from '#templates/templates';
import type { ApiParts } from './tokens.js';

export const SERVICES = ['diabetes', 'wellness', 'maternity', 'test'];
export const KNOWN_USER = 'p-1042';

/** As providers know us. */
export const RECEIPTS = {
  SMS_RECEIPTS_URL: 'https://notify.example.org',
  TWILIO_AUTH_TOKEN: '12345678901234567890123456789012',
  ORANGE_RECEIPT_TOKENS: 'old-token-of-24-characters,new-token-of-24-characters',
};

export const aDeadLetter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
  id: 'd'.repeat(24),
  notificationId: null,
  round: null,
  serviceName: 'diabetes',
  tenantId: null,
  channel: null,
  class: 'schema',
  status: 'waiting',
  code: 'validation_failed',
  reason: 'one field is invalid',
  queue: 'notifications.intake.send',
  retryAt: null,
  createdAt: new Date('2026-11-21T08:00:00.000Z'),
  updatedAt: new Date('2026-11-21T08:00:00.000Z'),
  errors: [{ in: 'body', field: '/body', code: 'required', message: 'is required' }],
  message: null,
  ...changes,
});

export interface MemoryParts {
  parts: ApiParts;
  store: MemoryAcceptStore;
  bulkStore: MemoryBulks;
  keyStore: MemoryKeyStore;
  idempotency: MemoryIdempotencyRecords;
  /** Those of providers that were taken. */
  receipts: Receipt[];
  inboxStore: MemoryInboxStore;
  /** Makes a key with all scopes and services, unless said otherwise. */
  issue: (changes?: Partial<CreateKey>) => Promise<IssuedKey>;
}

/** The parts of the API in memory: the real use cases, and doubles for what others test. */
export const memoryParts = (): MemoryParts => {
  const newId = idsInTurn();
  const store = new MemoryAcceptStore();
  const bulkStore = new MemoryBulks();
  const keyStore = new MemoryKeyStore();
  const receipts: Receipt[] = [];
  const idempotency = new MemoryIdempotencyRecords();
  const templateStore = new MemoryTemplateStore(() => new Date());
  const renderer = new Renderer({ store: templateStore });
  const inboxStore = new MemoryInboxStore();
  const reads = new MemoryReadStore(() => [...store.documents.values()].map(({ notification }) => notification));
  const now = (): Date => new Date();
  const groups = new MemoryGroups(() => [...store.documents.values()].map(({ notification }) => notification));
  const door = new Door({
    store,
    limits: new MemoryUserLimits(),
    channelLimits: new MemoryChannelLimits(),
    recipients: new MemoryRecipientLookup(
      new Set(SERVICES.map((service) => recipientKey(service, 'push', KNOWN_USER))),
    ),
    templates: renderer,
    announcer: new RecordingAnnouncer(),
    settings: limitSettings.parse({}),
    countryOf: () => undefined,
    newId,
    now,
  });
  const limitStore = new MemoryLimitStore();
  const rules = new LimitRules({
    store: limitStore,
    settings: channelLimitSettings.parse({}),
    services: SERVICES,
    onProblem: (error) => {
      throw error;
    },
  });
  const keys = new Keys({ store: keyStore, invalidations: new RecordingInvalidations(), now, cache: { ttlMs: 5_000 } });
  const deadLetter = aDeadLetter();
  const find = (id: string): Promise<Notification> => {
    const found = store.documents.get(id)?.notification;
    return found === undefined ? Promise.reject(new NotFound('notification')) : Promise.resolve(found);
  };
  const act = (_caller: unknown, id: string): Promise<Notification> => find(id);
  const shown = (_caller: unknown, id: string): Promise<{ deadLetter: DeadLetter; notification: null }> =>
    id === deadLetter.id
      ? Promise.resolve({ deadLetter, notification: null })
      : Promise.reject(new NotFound('dead letter'));
  const parts: ApiParts = {
    door,
    bulks: new Bulks({ door, bulks: bulkStore, newId }),
    groups: new Groups({ door, store, members: groups, newId }),
    groupQueries: new GroupQueries(groups),
    actions: {
      approve: act,
      approveMany: (caller, ids) =>
        Promise.all(
          ids.map((id) =>
            act(caller, id).then(
              (notification) => ({ id, notification }),
              () => ({ id, error: new NotFound('notification') }),
            ),
          ),
        ),
      reject: () => Promise.reject(new InvalidTransition('approved', ['cancel'], 'only a draft can be rejected')),
      cancel: act,
      retry: act,
      resolve: act,
      read: act,
    },
    bulkCancellation: {
      cancel: async (_caller, id) => void (await bulkStore.move(id, ['running'], 'cancelling', now())),
    },
    deadLetters: {
      list: () => Promise.resolve([deadLetter]),
      show: shown,
      replay: shown,
      replayMatching: () => Promise.resolve({ matched: 2, replayed: 1 }),
      drop: async (caller, id) => void (await shown(caller, id)),
    },
    keys,
    recipients: new Recipients(new MemoryRecipientStore(), () => undefined),
    templates: new Templates({
      store: templateStore,
      renderer,
      invalidations: new RecordingInvalidations(),
      newId,
      now,
    }),
    limits: new Limits({ store: limitStore, rules, invalidations: new RecordingInvalidations(), now }),
    providers: new Providers({ store: new MemoryProviderStore(), invalidations: new RecordingInvalidations(), now }),
    receipts: providerReceipts(ReceiptSettings.parse(RECEIPTS), {
      apply: (receipt) => {
        receipts.push(receipt);
        return Promise.resolve('applied');
      },
    }),
    notificationQueries: new NotificationQueries(reads),
    statisticsQueries: new StatisticsQueries(reads),
    bulkQueries: new BulkQueries(bulkStore, reads, now),
    inbox: {
      tokens: new InboxTokens({ secrets: ['s'.repeat(32)], maxSeconds: 3_600, services: SERVICES, now }),
      items: new Inbox({ store: inboxStore, signals: { changed: () => undefined } }),
      streams: new InboxStreams({
        changes: inboxStore,
        heartbeatMs: 60_000,
        pollMs: 60_000,
        maxStreams: 2,
        now,
        random: () => 0,
        onProblem: (error) => {
          throw error;
        },
      }),
    },
    maintenance: new Maintenance(
      new CleanUp({ services: SERVICES, store: new MemoryNotifications(now()), now, retentionDays: 30 }),
    ),
    idempotency,
    readiness: { database: () => Promise.resolve(), broker: () => true },
    registry: new Registry(),
    log: pino({ level: 'silent' }),
    version: '0.0.0-test',
  };
  const issue = (changes: Partial<CreateKey> = {}): Promise<IssuedKey> =>
    keys.issue({ owner: 'tests', scopes: [...SCOPES], services: SERVICES, ...changes });
  return { parts, store, bulkStore, keyStore, idempotency, receipts, inboxStore, issue };
};
