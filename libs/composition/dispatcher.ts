import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Intake } from '#acceptance/intake';
import { recipientKey } from '#acceptance/ports';
import { countryOf, countrySettings } from '#acceptance/countries';
import { limitSettings } from '#acceptance/limits';
import { AmqpUsers } from '#access/amqp-users';
import { accessSettings } from '#access/settings';
import { closeSenders, createSenders, figuresOf } from '#channels/senders';
import { ChannelSettings } from '#channels/settings';
import { channelLimitSettings } from '#limits/settings';
import type { Caller } from '#domain/caller';
import { Deliverer } from '#delivery/deliverer';
import { DeadLetterKeeper } from '#lifecycle/dead-letter-keeper';
import { Reports } from '#lifecycle/reports';
import { lifecycleSettings } from '#lifecycle/settings';
import { QUEUES } from '#contracts/topology';
import { InvalidationListener } from '#messaging/invalidation';
import { Refusals } from '#messaging/refusals';
import { AmqpStrategy } from '#messaging/strategy';
import { NotificationMetricsService } from '#observability/message-metrics';
import { MongoClaimStore } from '#persistence/claims/claim-store';
import { MongoDeadLetterStore } from '#persistence/dead-letters/dead-letter-store';
import { MongoDeliveryStore } from '#persistence/notifications/delivery-store';
import { MongoNotificationStore } from '#persistence/notifications/notification-store';
import { MongoRecipientTargets } from '#persistence/recipients/recipient-targets';
import { MongoTokenStore } from '#persistence/tokens/token-store';
import { composeAcceptance } from './acceptance.js';
import { composeAlerts } from './alerts.js';
import { type Base, createTracedBase, newId, settingsOf } from './base.js';
import { composeDeposits, composeInboxMarks } from './inbox.js';
import { composeLimits, composeSwitches, hearOfProviders, providerParts, ProviderReports } from './providers.js';
import { mailTo } from './operator-mail.js';
import { LaneMarks } from './lane-marks.js';
import { composeRenderer, hearOfTemplates } from './templates.js';
import { tracedSenders } from './traced.js';

export const dispatcherParts = z.object({
  ...limitSettings.shape,
  ...channelLimitSettings.shape,
  ...countrySettings.shape,
  ...accessSettings.shape,
  ...lifecycleSettings.shape,
  ...ChannelSettings.shape,
});

export interface ComposedDispatcher {
  base: Base;
  intake: Intake;
  invalidations: InvalidationListener;
  reports: Reports;
  deadLetters: DeadLetterKeeper;
  callerOf: (userId: string) => Caller | null;
  messageMetrics: NotificationMetricsService;
  deliverer: Deliverer;
  refusals: Refusals;
  strategy: AmqpStrategy;
  prefetch: number;
  drainMs: number;
  /** Lets go of providers and marks; the base is closed by whoever runs it. */
  close: () => Promise<void>;
}

/** @throws InvalidSettings */
export const composeDispatcher = async (environment: NodeJS.ProcessEnv): Promise<ComposedDispatcher> => {
  const settings = settingsOf(dispatcherParts, environment);
  const base = await createTracedBase('dispatcher', settings);
  const { databases, metrics, log, publisher, broker, now } = base;
  const users = new AmqpUsers(settings.AMQP_USERS);
  const callerOf = (userId: string): Caller | null => users.callerOf(userId);
  const store = new MongoNotificationStore(databases);
  const inboxMarks = composeInboxMarks(base);
  const renderer = composeRenderer(base);
  const limits = await composeLimits(base, settings);
  const switches = await composeSwitches(base);
  const senders = createSenders(settings, {
    tokens: new MongoTokenStore(databases),
    inbox: composeDeposits(base),
    // Only once it sends.
    providers: providerParts(base, limits, switches, (alert) => void alerts.raise(alert)),
  });
  const alerts = composeAlerts(
    base,
    settings,
    settings.ALERT_EMAIL_TO === undefined ? [] : [mailTo(settings.ALERT_EMAIL_TO, senders.email)],
  );
  const reports = new ProviderReports(base, () => figuresOf(senders));
  const marks = new LaneMarks(databases, log);
  const deliverer = new Deliverer({
    store: new MongoDeliveryStore(databases),
    debts: new MongoClaimStore(databases),
    recipients: new MongoRecipientTargets(databases, recipientKey),
    senders: tracedSenders(senders, base.tracing),
    channelLimits: limits.channels,
    announcer: base.outbox,
    inHand: settings.RABBITMQ_PREFETCH,
    now,
    random: Math.random,
    onClaimed: (channel, lane, claimed) => {
      metrics.batches.observe({ batch: 'claim' }, claimed.length);
      const at = now();
      for (const { nextAttemptAt } of claimed)
        if (nextAttemptAt !== null)
          metrics.waited.observe({ channel, lane }, Math.max(0, at.getTime() - nextAttemptAt.getTime()) / 1000);
      marks.claimed(channel, lane, claimed);
    },
    onSettled: ({ channel, state, createdAt, sentAt }, outcomes) => {
      metrics.settled.inc({ channel, state });
      for (const { outcome } of outcomes.values())
        metrics.outcomes.inc({ channel, provider: outcome.provider, outcome: outcome.kind });
      if (state === 'sent' && sentAt !== null)
        metrics.acceptToSent.observe({ channel }, (sentAt.getTime() - createdAt.getTime()) / 1000);
    },
    onProblem: (problem, error) => {
      metrics.problems.inc({ problem });
      log.warn(
        { problem, err: error },
        'a delivery did not end as it should: its lease will, and it is taken up again',
      );
    },
  });
  const refusals = new Refusals(publisher);
  const prefetch = settings.RABBITMQ_HANDLER_PREFETCH;
  return {
    base,
    intake: composeAcceptance(base, settings, countryOf(settings), renderer, limits.channels).intake(callerOf),
    invalidations: new InvalidationListener({
      log,
      onInvalidation: (invalidation) => {
        hearOfTemplates(renderer, invalidation);
        hearOfProviders({ rules: limits.rules, switches }, invalidation);
      },
      onReconnected: () => {
        renderer.invalidate(null);
        void limits.rules.refresh();
        void switches.refresh();
      },
    }),
    reports: new Reports({ store, inbox: inboxMarks, announcer: base.outbox, now, pause: (ms) => pause(ms) }),
    deadLetters: new DeadLetterKeeper({
      store,
      deadLetters: new MongoDeadLetterStore(databases),
      alerts,
      now,
      newId,
      retryAfterMs: settings.AUTOMATIC_RETRY_AFTER_S * 1000,
      onKept: (deadLetter) => metrics.deadLetters.inc({ class: deadLetter.class }),
    }),
    callerOf,
    messageMetrics: new NotificationMetricsService(metrics, log),
    deliverer,
    refusals,
    strategy: new AmqpStrategy({
      broker,
      refusals,
      log,
      queues: {
        [QUEUES.intakeSend]: { prefetch },
        [QUEUES.intakeBulk]: { prefetch: Math.min(prefetch, 4) },
        [QUEUES.reports]: { prefetch },
        [QUEUES.failed]: { prefetch },
      },
    }),
    prefetch: settings.RABBITMQ_PREFETCH,
    drainMs: settings.RABBITMQ_DRAIN_MS,
    close: async () => {
      await deliverer.close();
      await marks.close();
      await reports.close();
      limits.rules.close();
      switches.close();
      await closeSenders(senders);
      await base.tracing?.close();
    },
  };
};
