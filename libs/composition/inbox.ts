import { SCHEMA_VERSION } from '#contracts/messages';
import { EXCHANGES, ROUTING_KEYS } from '#contracts/topology';
import { Inbox } from '#inbox/inbox';
import type { InboxDeposits, InboxSignals } from '#inbox/ports';
import { readerDigest } from '#inbox/reader';
import type { InboxSettings } from '#inbox/settings';
import { InboxStreams } from '#inbox/streams';
import { InboxTokens } from '#inbox/tokens';
import type { InboxMarks } from '#lifecycle/ports';
import { InboxChangesListener } from '#messaging/inbox-changes';
import { MongoInboxStore } from '#persistence/inbox/inbox-store';
import { type Base, newId } from './base.js';

/** Tells all gateways by the fanout. What they miss, their slow poll finds. */
const signalsOf = ({ publisher }: Pick<Base, 'publisher'>): InboxSignals => ({
  changed: (readers) => {
    if (readers.length === 0) return;
    void publisher.publish([
      {
        exchange: EXCHANGES.services,
        routingKey: ROUTING_KEYS.inbox,
        type: 'carillon.inbox',
        payload: { schemaVersion: SCHEMA_VERSION, readers: [...new Set(readers.map(readerDigest))] },
        messageId: newId(),
        mandatory: false,
      },
    ]);
  },
});

/** What the dispatcher's sender puts into inboxes; streams hear of it at once. */
export const composeDeposits = (base: Base): InboxDeposits => {
  const store = new MongoInboxStore(base.databases);
  const signals = signalsOf(base);
  return {
    deposit: async (items) => {
      await store.deposit(items);
      signals.changed(items);
    },
  };
};

/** What marks items as read that were read elsewhere; streams hear of it at once. */
export const composeInboxMarks = (base: Base): InboxMarks => {
  const store = new MongoInboxStore(base.databases);
  const signals = signalsOf(base);
  return {
    markRead: async (serviceName, notificationId) =>
      signals.changed(await store.markReadOf(serviceName, notificationId)),
  };
};

export interface ComposedInbox {
  tokens: InboxTokens;
  items: Inbox;
  streams: InboxStreams;
  listener: InboxChangesListener;
}

/** What a gateway answers readers with; null where there is no secret to sign tokens with. */
export const composeInbox = (base: Base, settings: InboxSettings): ComposedInbox | null => {
  const { INBOX_TOKEN_SECRET: secrets } = settings;
  if (secrets === undefined) return null;
  const { databases, log, metrics, now } = base;
  const store = new MongoInboxStore(databases);
  const streams = new InboxStreams({
    changes: store,
    heartbeatMs: settings.INBOX_HEARTBEAT_SECONDS * 1000,
    pollMs: settings.INBOX_POLL_SECONDS * 1000,
    maxStreams: settings.INBOX_MAX_STREAMS,
    now,
    random: Math.random,
    onProblem: (err) => {
      metrics.problems.inc({ problem: 'inbox_look_failed' });
      log.warn({ err }, 'streams of inboxes are not told of changes right now; they will be');
    },
  });
  metrics.watchStreams(() => streams.size);
  return {
    tokens: new InboxTokens({
      secrets,
      maxSeconds: settings.INBOX_TOKEN_MAX_SECONDS,
      services: databases.services,
      now,
    }),
    items: new Inbox({ store, signals: signalsOf(base) }),
    streams,
    listener: new InboxChangesListener({
      log,
      onChanged: ({ readers }) => streams.wake(readers),
      onReconnected: () => streams.wakeAll(),
    }),
  };
};
