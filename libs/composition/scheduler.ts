import { z } from 'zod';
import { AutomaticRetry } from '#upkeep/automatic-retry';
import { BulkCompletion } from '#upkeep/bulk-completion';
import { BulkRelay } from '#upkeep/bulk-relay';
import { ClaimRelay } from '#upkeep/claim-relay';
import { CleanUp } from '#upkeep/clean-up';
import { Expiry } from '#upkeep/expiry';
import { Fallbacks } from '#upkeep/fallbacks';
import { InboxReads } from '#upkeep/inbox-reads';
import { type ScheduledJob, scheduledJobs } from '#upkeep/jobs';
import { Overdue } from '#upkeep/overdue';
import { Relay } from '#upkeep/relay';
import { upkeepSettings } from '#upkeep/settings';
import { StaleCounters } from '#upkeep/stale-counters';
import { StaleLeases } from '#upkeep/stale-leases';
import { lifecycleSettings } from '#lifecycle/settings';
import { declareTopology, TOPOLOGY } from '#messaging/declare';
import { withConnection } from '#messaging/open';
import { MongoBulkStore } from '#persistence/bulks/bulk-store';
import { MongoClaimStore } from '#persistence/claims/claim-store';
import { MongoDeadLetterStore } from '#persistence/dead-letters/dead-letter-store';
import { MongoInboxStore } from '#persistence/inbox/inbox-store';
import { createIndexes } from '#persistence/indexes';
import { MongoCounterUpkeep } from '#persistence/limits/counter-upkeep';
import { MongoLocks } from '#persistence/locks/locks';
import { MongoGroupStore } from '#persistence/notifications/group-store';
import { MongoNotificationStore } from '#persistence/notifications/notification-store';
import { MongoReadStore } from '#persistence/notifications/read-store';
import { MongoUpkeepStore } from '#persistence/notifications/upkeep-store';
import { MongoWatermarks } from '#persistence/watermarks/watermarks';
import { composeAlerts } from './alerts.js';
import { type Base, createBase, settingsOf } from './base.js';

export const schedulerParts = z.object({ ...upkeepSettings.shape, ...lifecycleSettings.shape });

export interface ComposedScheduler {
  base: Base;
  jobs: ScheduledJob[];
  locks: MongoLocks;
  drainMs: number;
}

/** @throws InvalidSettings */
export const composeScheduler = (environment: NodeJS.ProcessEnv): ComposedScheduler => {
  const settings = settingsOf(schedulerParts, environment);
  const base = createBase('scheduler', settings);
  const { databases, outbox: announcer, now } = base;
  const { services } = databases;
  const store = new MongoUpkeepStore(databases);
  const changes = new MongoNotificationStore(databases);
  const bulks = new MongoBulkStore(databases);
  const reads = new MongoReadStore(databases);
  const retryAfterMs = settings.AUTOMATIC_RETRY_AFTER_S * 1000;
  const jobs = {
    relay: new Relay({ services, store, announcer, now }),
    'bulk-relay': new BulkRelay({ bulks, items: reads, announcer, now }),
    'claim-relay': new ClaimRelay({ claims: new MongoClaimStore(databases), items: store, announcer }),
    overdue: new Overdue({
      services,
      store,
      watermarks: new MongoWatermarks(databases),
      now,
      marginMs: settings.OVERDUE_MARGIN_S * 1000,
    }),
    'stale-leases': new StaleLeases({
      services,
      store,
      changes,
      announcer,
      graceMs: settings.STALE_LEASE_GRACE_S * 1000,
    }),
    expiry: new Expiry({ services, store, changes, announcer, alerts: composeAlerts(base, settings), now }),
    fallbacks: new Fallbacks({
      services,
      groups: new MongoGroupStore(databases),
      changes,
      announcer,
      now: () => databases.now(),
    }),
    'inbox-reads': new InboxReads({
      services,
      items: new MongoInboxStore(databases),
      store: changes,
      announcer,
      now,
    }),
    'automatic-retry': new AutomaticRetry({
      services,
      store,
      changes,
      deadLetters: new MongoDeadLetterStore(databases),
      announcer,
      now,
      retryAfterMs,
    }),
    'bulk-completion': new BulkCompletion({ bulks, counts: reads, canceller: changes, now }),
    'stale-counters': new StaleCounters({ counters: new MongoCounterUpkeep(databases), now }),
    'clean-up': new CleanUp({ services, store, now, retentionDays: settings.CLEAN_UP_AFTER_DAYS }),
  };
  return {
    base,
    jobs: scheduledJobs(jobs, settings),
    locks: new MongoLocks(databases),
    drainMs: settings.RABBITMQ_DRAIN_MS,
  };
};

/** Creates every index that is missing; drops none. @throws InvalidSettings, Unavailable */
export const createAllIndexes = async (environment: NodeJS.ProcessEnv): Promise<readonly string[]> => {
  const settings = settingsOf(z.object({}), environment);
  const base = createBase('scheduler', settings);
  try {
    await createIndexes(base.databases);
    return base.databases.services;
  } finally {
    await base.databases.close();
  }
};

/** Declares every exchange, queue and binding that is missing; removes none. @returns how many queues there are */
export const declareAllTopology = async (environment: NodeJS.ProcessEnv): Promise<number> => {
  const settings = settingsOf(z.object({}), environment);
  const connection = {
    uri: new URL(settings.RABBITMQ_URI),
    name: 'declare-topology',
    heartbeatSeconds: settings.RABBITMQ_HEARTBEAT_S,
  };
  await withConnection(connection, (model) => declareTopology(model));
  return TOPOLOGY.queues.length;
};
