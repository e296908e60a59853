import type { ErrorClass, Status } from '#contracts/vocabulary';
import type { Delivery, DeliveryAttempt, Notification, NotificationError, Waiting } from './notification.js';
import type { Failure, TimedOutcome } from './outcome.js';
import { retryPolicy, type Wait, waitOfAtLeast } from './retry.js';
import { statusOf } from './states.js';

/** What is to be written of one claimed notification, and told to whom. */
export interface Settlement {
  id: string;
  serviceName: string;
  /** The lease under which it was claimed; a settling under any other changes nothing. */
  token: string;
  state: 'sent' | 'failed' | 'uncertain' | 'approved' | 'expired';
  status: Status;
  attempt: number;
  deliveries: Delivery[];
  lastError: NotificationError | null;
  reason: string | null;
  /** Only with `approved`: why it waits, and where: in the database `until` then, or on the wait ladder. */
  wait: (Wait & { reason: Waiting['reason']; until: Date | null }) | null;
  /** `Notification.place`: kept with what follows. */
  place: Date | null;
  /** Targets that do not exist any more. */
  goneTargets: string[];
  /** Only with `sent`: the record of its claim owes the broker its status, and the document owes nothing. */
  owedByClaim?: boolean;
}

/** Attempts kept on one delivery; older ones give way. */
const KEPT_ATTEMPTS = 20;
/** Wait where a provider asks for one without saying how long, in milliseconds. */
const UNSAID_RETRY_AFTER_MS = 30_000;
/** The longest wait that a provider is granted, in milliseconds: a week. */
const LONGEST_RETRY_AFTER_MS = 7 * 86_400_000;

const failureOf = (timed: TimedOutcome): Failure | null => (timed.outcome.kind === 'sent' ? null : timed.outcome);

const attemptRecord = (timed: TimedOutcome, number: number): DeliveryAttempt => ({
  number,
  at: timed.startedAt,
  durationMs: timed.durationMs,
  provider: timed.outcome.provider,
  outcome: timed.outcome.kind,
  code: failureOf(timed)?.code ?? null,
  providerStatus: timed.outcome.providerStatus,
  retryAfterMs: timed.outcome.kind === 'rate_limited' ? timed.outcome.retryAfterMs : null,
  ...(timed.outcome.tried === undefined ? {} : { tried: timed.outcome.tried }),
});

const deliveryStatus = (timed: TimedOutcome, atMostOnce: boolean): Delivery['status'] => {
  switch (timed.outcome.kind) {
    case 'sent':
      return 'sent';
    case 'permanent':
    case 'recipient_gone':
      return 'failed';
    case 'uncertain':
      // Sent again under the same provider-side id, unless the caller would rather miss one than get two.
      return atMostOnce ? 'uncertain' : 'open';
    case 'transient':
    case 'rate_limited':
    case 'credentials':
    case 'provider_down':
    case 'held':
      return 'open';
  }
};

/** To be held is no attempt. */
const record = (
  { place: _used, ...delivery }: Delivery,
  timed: TimedOutcome,
  number: number,
  atMostOnce: boolean,
): Delivery =>
  timed.outcome.kind === 'held'
    ? { ...delivery, ...(timed.outcome.place === null ? {} : { place: timed.outcome.place }) }
    : recordAttempt(delivery, timed, number, atMostOnce);

const recordAttempt = (delivery: Delivery, timed: TimedOutcome, number: number, atMostOnce: boolean): Delivery => ({
  ...delivery,
  status: deliveryStatus(timed, atMostOnce),
  provider: timed.outcome.provider,
  providerMessageId: timed.outcome.kind === 'sent' ? timed.outcome.providerMessageId : delivery.providerMessageId,
  attempts: [...delivery.attempts, attemptRecord(timed, number)].slice(-KEPT_ATTEMPTS),
});

/** None open: sent if one was sent, else uncertain if one is, else failed. */
export const rollUp = (deliveries: readonly Delivery[]): 'sent' | 'uncertain' | 'failed' | 'open' => {
  if (deliveries.some((delivery) => delivery.status === 'open')) return 'open';
  if (deliveries.some((delivery) => delivery.status === 'sent')) return 'sent';
  return deliveries.some((delivery) => delivery.status === 'uncertain') ? 'uncertain' : 'failed';
};

/** Nothing more is tried: what was open ends so. */
export const closed = (deliveries: readonly Delivery[], as: 'failed' | 'uncertain'): Delivery[] =>
  deliveries.map((delivery) => (delivery.status === 'open' ? { ...delivery, status: as } : delivery));

const errorOf = (failure: Failure, at: Date): NotificationError => ({
  code: failure.code,
  class: failure.class,
  message: failure.message,
  at,
});

/** Whether every delivery that is still open was only asked to wait, or not tried: then no attempt is used. */
const onlyWaits = (open: readonly TimedOutcome[]): boolean =>
  open.length > 0 && open.every(({ outcome }) => outcome.kind === 'rate_limited' || outcome.kind === 'held');

const reasonOf = ({ outcome }: TimedOutcome): Waiting['reason'] => {
  switch (outcome.kind) {
    case 'rate_limited':
      return 'rate_limit';
    case 'held':
      return outcome.reason;
    case 'provider_down':
    case 'credentials':
      return 'provider';
    default:
      return 'retry';
  }
};

const waitingReason = (open: readonly TimedOutcome[]): Waiting['reason'] => {
  const reasons = new Set(open.map(reasonOf));
  const [only] = reasons;
  if (only !== undefined && reasons.size === 1) return only;
  return onlyWaits(open) ? 'provider' : 'retry';
};

/** How long an outcome asks to wait, in milliseconds. */
const askedMsOf = ({ outcome }: TimedOutcome): number => {
  if (outcome.kind === 'held') return outcome.retryAfterMs;
  if (outcome.kind !== 'rate_limited') return 0;
  return Math.min(outcome.retryAfterMs ?? UNSAID_RETRY_AFTER_MS, LONGEST_RETRY_AFTER_MS);
};

/** What has a place waits for that, and what nobody may send now waits in the database; all else on the wait ladder. */
const waitFor = (open: readonly TimedOutcome[], backoffMs: number, now: Date, random: number): Settlement['wait'] => {
  const reason = waitingReason(open);
  const isParked = onlyWaits(open) && open.some(({ outcome }) => outcome.kind === 'held' && isParking(outcome));
  const wait = waitOfAtLeast(Math.max(backoffMs, ...open.map(askedMsOf), 1000), random);
  if (!isParked) return { ...wait, reason, until: null };
  const until = Math.max(...open.map((one) => placeMsOf(one) ?? now.getTime() + askedMsOf(one)));
  return { ...wait, reason, until: new Date(until) };
};

const placeMsOf = ({ outcome }: TimedOutcome): number | null =>
  outcome.kind === 'held' ? (outcome.place?.at.getTime() ?? null) : null;

const isParking = ({ place, code }: { place: unknown; code: string }): boolean =>
  place !== null || code === 'provider_disabled';

/**
 * What follows from the outcomes of one claim. `outcomes` has an entry for each delivery that was open, by delivery id;
 * `random` in [0, 1) is the jitter.
 */
export const settle = (
  notification: Notification,
  outcomes: ReadonlyMap<string, TimedOutcome>,
  now: Date,
  random: number,
): Settlement => {
  const token = notification.lease?.token ?? '';
  const number = notification.attempt + 1;
  const recorded = notification.deliveries.map((delivery) => {
    const timed = outcomes.get(delivery.id);
    return timed === undefined ? delivery : record(delivery, timed, number, notification.atMostOnce);
  });
  const openOutcomes = recorded.flatMap((delivery) => {
    const timed = delivery.status === 'open' ? outcomes.get(delivery.id) : undefined;
    return timed === undefined ? [] : [timed];
  });
  // What is worth another attempt decides whether trying again later can help.
  const lastFailure = [...openOutcomes, ...outcomes.values()].map(failureOf).find((failure) => failure !== null);
  const lastError =
    lastFailure === undefined || lastFailure === null ? notification.lastError : errorOf(lastFailure, now);
  const goneTargets = recorded
    .filter((delivery) => outcomes.get(delivery.id)?.outcome.kind === 'recipient_gone')
    .map((delivery) => delivery.target);
  const { id, serviceName, place } = notification;
  const common = { id, serviceName, token, lastError, goneTargets, place };

  if (recorded.some((delivery) => delivery.status === 'open' && !outcomes.has(delivery.id))) {
    // The lease left no time for these: soon again, and an attempt is used only if one was made.
    const attempt = outcomes.size === 0 ? notification.attempt : number;
    const wait = { ...waitOfAtLeast(1000, random), reason: 'retry' as const, until: null };
    return {
      ...common,
      state: 'approved',
      status: 'pending',
      attempt,
      deliveries: recorded,
      reason: 'lease_ended',
      wait,
    };
  }

  if (openOutcomes.length > 0) {
    const free = onlyWaits(openOutcomes);
    const attempt = free ? notification.attempt : number;
    const policy = retryPolicy(notification.channel, notification.type);
    if (attempt < policy.attempts) {
      const backoffMs = free ? 0 : (policy.delaysSeconds[attempt - 1] ?? 1) * 1000;
      return {
        ...common,
        state: 'approved',
        status: 'pending',
        attempt,
        deliveries: recorded,
        reason: lastError?.code ?? null,
        wait: waitFor(openOutcomes, backoffMs, now, random),
      };
    }
  }

  const deliveries = closed(recorded, 'failed');
  const rolledUp = rollUp(deliveries);
  const state = rolledUp === 'open' ? 'failed' : rolledUp;
  return {
    ...common,
    state,
    status: statusOf(state, true),
    attempt: number,
    deliveries,
    reason: state === 'sent' ? null : (lastError?.code ?? null),
    wait: null,
  };
};

/** What could not even be tried: nothing to send to, or too late. It is sent all the same if an earlier attempt reached a target. */
export const settleWithout = (
  notification: Notification,
  state: 'failed' | 'expired' | 'uncertain',
  error: { code: string; class: ErrorClass; message: string },
  now: Date,
): Settlement => {
  const deliveries = closed(notification.deliveries, state === 'uncertain' ? 'uncertain' : 'failed');
  const reached = rollUp(deliveries) === 'sent' ? 'sent' : state;
  return {
    id: notification.id,
    serviceName: notification.serviceName,
    token: notification.lease?.token ?? '',
    state: reached,
    status: statusOf(reached, true),
    attempt: notification.attempt,
    deliveries,
    lastError: { ...error, at: now },
    reason: error.code,
    wait: null,
    place: notification.place,
    goneTargets: [],
  };
};

/** The limit of its channel has a place for it at a later time: until then it waits in the database. `place` null: there is none yet. */
export const settleForPlace = (
  notification: Notification,
  { until, place }: { until: Date; place: Date | null },
  now: Date,
  random: number,
): Settlement => {
  const ms = Math.max(1, until.getTime() - now.getTime());
  return {
    id: notification.id,
    serviceName: notification.serviceName,
    token: notification.lease?.token ?? '',
    state: 'approved',
    status: 'pending',
    attempt: notification.attempt,
    deliveries: notification.deliveries,
    lastError: notification.lastError,
    reason: 'rate_limited',
    wait: { ...waitOfAtLeast(ms, random), reason: 'rate_limit', until },
    place,
    goneTargets: [],
  };
};

/** What a claimed notification is once its settlement is written, at the time `at`; without the transition in its history. */
export const settled = (claimed: Notification, settlement: Settlement, at: Date): Notification => {
  const { state, attempt, deliveries, lastError, wait } = settlement;
  const due = wait === null ? null : (wait.until ?? new Date(at.getTime() + wait.ms));
  const uncertain = state === 'uncertain' ? { reason: 'resolution' as const, until: null } : null;
  return {
    ...claimed,
    state,
    version: claimed.version + 1,
    attempt,
    claims: 0,
    alone: false,
    deliveries,
    place: settlement.place,
    lastError,
    lease: null,
    waiting: wait === null ? uncertain : { reason: wait.reason, until: due },
    nextAttemptAt: due,
    groupDueAt: claimed.group?.mode === 'fallback' && wait === null ? at : claimed.groupDueAt,
    updatedAt: at,
    sentAt: deliveries.some(({ status }) => status === 'sent') ? (claimed.sentAt ?? at) : claimed.sentAt,
    failedAt: settlement.status === 'failed' ? at : claimed.failedAt,
  };
};
