import { randomUUID } from 'node:crypto';
import { BESIDE_FROM, GroupCommit } from '#batching/group-commit';
import { Semaphore } from '#batching/semaphore';
import type { Wake } from '#contracts/messages';
import type { Channel, Lane, Status } from '#contracts/vocabulary';
import type { Announcement } from '#domain/announcement';
import { RELAY_GRACE_MS } from '#domain/change';
import { deliveriesOf } from '#domain/deliveries';
import { type ChannelLimits, soonAfter } from '#domain/limits';
import type { Delivery, Notification } from '#domain/notification';
import type { TimedOutcome } from '#domain/outcome';
import { isBeyondLadder } from '#domain/retry';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { settle, settled, settleForPlace, type Settlement, settleWithout } from '#domain/settle';
import { LaneSender, SETTLING_MS } from './lane-sender.js';
import { type Owing, OwingClaims } from './owing.js';
import type { Announcer, ClaimDebts, DeliveryStore, RecipientTargets } from './ports.js';

export interface DelivererParts {
  store: DeliveryStore;
  debts: ClaimDebts;
  recipients: RecipientTargets;
  senders: Readonly<Record<Channel, ChannelSender>>;
  channelLimits: ChannelLimits;
  announcer: Announcer;
  /** Notifications of one lane that may be claimed and not settled; more wait for their turn. */
  inHand: number;
  now: () => Date;
  random: () => number;
  /** Lane has been claimed up to this due time: tells the scheduler that what is due before and unclaimed was lost. */
  onClaimed?: (channel: Channel, lane: Lane, claimed: readonly Notification[]) => void;
  onSettled?: (notification: Notification, outcomes: ReadonlyMap<string, TimedOutcome>) => void;
  onProblem: (problem: string, error: unknown) => void;
}

/** Seconds are cheap here: a lease that is longer than need be only delays the recovery from a crash. */
const leaseMsOf = (sender: ChannelSender): number => sender.timeoutMs * 2 + SETTLING_MS + 15_000;

/** What is claimed in one write, and how many such writes are under way at once in a lane. */
const CLAIM_BATCH = 500;
const CLAIMS_IN_FLIGHT = 2;
/** A busy lane waits so long, in milliseconds, for as many as it claimed before; an urgent one does not. */
const GATHER_MS = 20;
/** Where a limit has no place as far ahead as places are given out, it is looked at again after so long, in milliseconds. */
const NO_PLACE_MS = 3_600_000;

type Wakened = Pick<Wake, 'notificationId' | 'serviceName'>;

/** What is claimed under one token; `leaseEnd` by `performance.now()`, milliseconds. */
interface Claim {
  serviceName: string;
  token: string;
  leaseEnd: number;
}

interface LaneOf {
  channel: Channel;
  lane: Lane;
  chunks: LaneSender;
  sender: ChannelSender;
  /** Answers, for each wake, when its notification is settled. */
  claims: GroupCommit<Wakened, { settled: Promise<void> }>;
  /** For what is claimed and not settled. */
  room: Semaphore;
  alone: Semaphore;
}

/**
 * Claims what it is woken for, sends it and settles it, in batches of what is in hand at the same time. A wake that
 * finds nothing to claim was a duplicate, late, or overtaken: there is nothing to do for it.
 */
export class Deliverer {
  private readonly lanes = new Map<string, LaneOf>();
  private readonly settling: GroupCommit<Settlement, boolean>;
  private readonly owing: OwingClaims;

  constructor(private readonly parts: DelivererParts) {
    this.owing = new OwingClaims(parts.debts);
    this.settling = new GroupCommit(
      async (settlements) => (await parts.store.settle(settlements)).map((value) => ({ value })),
      { maxBatch: 500, maxInFlight: 2, besideFrom: BESIDE_FROM },
    );
  }

  /**
   * Resolves when all that it wakes are settled, or were not ours.
   * @throws what the store throws while claiming: nothing was done with those, the message may come again
   */
  async deliver(channel: Channel, lane: Lane, { notificationId, others, serviceName, alone }: Wake): Promise<void> {
    const place = this.laneOf(channel, lane);
    // What a vanished dispatcher left behind may take the next one down too: one at a time, and nobody beside it.
    if (alone)
      return place.alone.run(async () => (await this.claim(place, [{ notificationId, serviceName }]))[0]?.settled);
    const one = (id: string): Promise<void> =>
      place.room.run(async () => (await place.claims.add({ notificationId: id, serviceName })).settled);
    if (others.length === 0) return one(notificationId);
    const results = await Promise.allSettled([notificationId, ...others].map(one));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Resolves when it is written what the broker was told of; to be called once that is all. */
  close(): Promise<void> {
    return this.owing.drained();
  }

  private laneOf(channel: Channel, lane: Lane): LaneOf {
    const key = `${channel}.${lane}`;
    const known = this.lanes.get(key);
    if (known !== undefined) return known;
    const sender = this.parts.senders[channel];
    const made: LaneOf = {
      channel,
      lane,
      sender,
      chunks: new LaneSender(sender, this.parts.now),
      claims: new GroupCommit(async (wakes) => (await this.claim(made, wakes)).map((value) => ({ value })), {
        maxBatch: CLAIM_BATCH,
        maxInFlight: CLAIMS_IN_FLIGHT,
        besideFrom: BESIDE_FROM,
        gatherMs: lane === 'urgent' ? 0 : GATHER_MS,
      }),
      room: new Semaphore(this.parts.inHand),
      alone: new Semaphore(1),
    };
    this.lanes.set(key, made);
    return made;
  }

  /** Claims what these wake, and begins to send it; one answer each, in order. */
  private async claim(place: LaneOf, wakes: readonly Wakened[]): Promise<{ settled: Promise<void> }[]> {
    const byService = new Map<string, Set<string>>();
    for (const { serviceName, notificationId } of wakes) {
      const ids = byService.get(serviceName);
      if (ids === undefined) byService.set(serviceName, new Set([notificationId]));
      else ids.add(notificationId);
    }
    const endings = new Map<string, Promise<void>>();
    await Promise.all(
      [...byService].map(async ([serviceName, ids]) => {
        const token = randomUUID();
        const leaseMs = leaseMsOf(place.sender);
        // Taken before the claim, so that our idea of the lease's end is never later than the database's.
        const leaseEnd = performance.now() + leaseMs;
        const claimed = await this.parts.store.claim({ serviceName, ids: [...ids], token, leaseMs });
        if (claimed.length === 0) return;
        this.parts.onClaimed?.(place.channel, place.lane, claimed);
        for (const [id, done] of this.begin(place, { serviceName, token, leaseEnd }, claimed)) endings.set(id, done);
      }),
    );
    return wakes.map(({ notificationId }) => ({ settled: endings.get(notificationId) ?? Promise.resolve() }));
  }

  /** Sends what was claimed, behind the claim's back; a promise for each that ends when it is settled. */
  private begin(
    place: LaneOf,
    { serviceName, token, leaseEnd }: Claim,
    claimed: readonly Notification[],
  ): Map<string, Promise<void>> {
    const ends = new Map<string, () => void>();
    const promises = new Map(
      claimed.map(({ id }) => [id, new Promise<void>((resolve) => ends.set(id, resolve))] as const),
    );
    const onSettled = (id: string): void => ends.get(id)?.();
    const claimedAt = claimed[0]?.updatedAt ?? this.parts.now();
    const owing = this.owing.begin({
      token,
      serviceName,
      ids: claimed.map(({ id }) => id),
      at: new Date(claimedAt.getTime() + RELAY_GRACE_MS),
    });
    void (async () => {
      try {
        const timely = await this.withoutExpired(claimed);
        const allowed = await this.withPlaces(timely);
        const ready = await this.freeze(place.channel, serviceName, token, allowed);
        await this.sendAll(place.chunks, ready, { leaseEnd, owing }, onSettled);
      } catch (error) {
        // Still ours until the lease ends; then it is recovered and sent alone.
        this.parts.onProblem('delivery_interrupted', error);
      } finally {
        for (const end of ends.values()) end();
        await owing?.end();
      }
    })();
    return promises;
  }

  private async withoutExpired(claimed: readonly Notification[]): Promise<Notification[]> {
    const now = this.parts.now();
    const late = claimed.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now);
    if (late.length === 0) return [...claimed];
    const error = {
      code: 'expired',
      class: 'expired' as const,
      message: 'its expiresAt passed before it could be sent',
    };
    await Promise.all(
      late.map((notification) => this.settle(notification, settleWithout(notification, 'expired', error, now), NONE)),
    );
    return claimed.filter((notification) => !late.includes(notification));
  }

  /** Reserves places for those that have none: they were scheduled, or drafts. Those whose place lies ahead wait for it. */
  private async withPlaces(claimed: readonly Notification[]): Promise<Notification[]> {
    const { channelLimits, now, random } = this.parts;
    const wanting = claimed.filter(
      ({ place, serviceName, channel }) => place === null && channelLimits.isLimited(serviceName, channel),
    );
    if (wanting.length === 0) return [...claimed];
    const grants = await channelLimits.reserve(
      wanting.map(({ serviceName, channel }) => ({ serviceName, channel, onLimit: 'wait', otherwise: 'wait' })),
    );
    const at = now();
    const soon = soonAfter(at);
    const granted = new Map(wanting.map(({ id }, index) => [id, grants[index]]));
    const waiting: Promise<void>[] = [];
    const allowed = claimed.flatMap((notification) => {
      const grant = granted.get(notification.id);
      if (grant === undefined) return [notification];
      if (grant.granted && grant.at <= soon) return [{ ...notification, place: grant.at }];
      const place = grant.granted ? grant.at : null;
      const until = place ?? new Date(at.getTime() + NO_PLACE_MS);
      waiting.push(this.settle(notification, settleForPlace(notification, { until, place }, at, random()), NONE));
      return [];
    });
    await Promise.all(waiting);
    return allowed;
  }

  /** Gives each one its deliveries. Those that the recipient's own targets decide are written before anything is sent. */
  private async freeze(
    channel: Channel,
    serviceName: string,
    token: string,
    claimed: readonly Notification[],
  ): Promise<Notification[]> {
    const named = claimed.map((notification) =>
      notification.deliveries.length === 0 && notification.to !== null
        ? { ...notification, deliveries: deliveriesOf(notification.id, notification.to) }
        : notification,
    );
    const unresolved = named.filter(({ deliveries }) => deliveries.length === 0);
    if (unresolved.length === 0) return named;
    const userIds = unresolved.flatMap(({ userId }) => (userId === null ? [] : [userId]));
    const targets = await this.parts.recipients.targetsOf(serviceName, channel, [...new Set(userIds)]);
    const resolved = new Map(
      unresolved.flatMap((notification) => {
        const own = notification.userId === null ? undefined : targets.get(notification.userId);
        return own === undefined || own.length === 0
          ? []
          : [[notification.id, deliveriesOf(notification.id, own)] as const];
      }),
    );
    const held = await this.parts.store.freezeDeliveries(
      serviceName,
      token,
      [...resolved].map(([id, deliveries]) => ({ id, deliveries })),
    );
    const now = this.parts.now();
    const error = {
      code: 'no_target',
      class: 'recipient' as const,
      message: 'the recipient has no target on this channel any more',
    };
    const lost = unresolved.filter(({ id }) => !resolved.has(id));
    await Promise.all(
      lost.map((notification) => this.settle(notification, settleWithout(notification, 'failed', error, now), NONE)),
    );
    return named.flatMap((notification) => {
      if (notification.deliveries.length > 0) return [notification];
      const deliveries = resolved.get(notification.id);
      return deliveries === undefined || !held.has(notification.id) ? [] : [{ ...notification, deliveries }];
    });
  }

  private async sendAll(
    chunks: LaneSender,
    notifications: readonly Notification[],
    { leaseEnd, owing }: { leaseEnd: number; owing: Owing | null },
    onSettled: (id: string) => void,
  ): Promise<void> {
    const open = new Map<string, { notification: Notification; left: number; outcomes: Map<string, TimedOutcome> }>();
    const requests: SendRequest[] = [];
    const settling: Promise<void>[] = [];
    for (const notification of notifications) {
      const mine = notification.deliveries.filter(({ status }) => status === 'open');
      if (mine.length === 0)
        settling.push(this.settle(notification, settle(notification, NONE, this.parts.now(), 0), NONE));
      else open.set(notification.id, { notification, left: mine.length, outcomes: new Map() });
      for (const delivery of mine) requests.push(requestOf(notification, delivery));
    }
    await chunks.send(requests, leaseEnd, (request, outcome) => {
      const entry = open.get(request.notificationId);
      if (entry === undefined) return;
      if (outcome !== null) entry.outcomes.set(request.deliveryId, outcome);
      entry.left -= 1;
      if (entry.left > 0) return;
      const { notification, outcomes } = entry;
      const settlement = settle(notification, outcomes, this.parts.now(), this.parts.random());
      settling.push(this.settle(notification, settlement, outcomes, owing).then(() => onSettled(notification.id)));
    });
    await Promise.all(settling);
  }

  private async settle(
    before: Notification,
    settlement: Settlement,
    outcomes: ReadonlyMap<string, TimedOutcome>,
    owing: Owing | null = null,
  ): Promise<void> {
    const told = settlement.state === 'sent' && (await owing?.written) === true ? owing?.part() : undefined;
    try {
      if (!(await this.settling.add(told === undefined ? settlement : { ...settlement, owedByClaim: true }))) {
        await told?.(true);
        return this.parts.onProblem('lease_lost', null);
      }
    } catch (error) {
      // It may be written all the same.
      await told?.(false);
      return this.parts.onProblem('settle_failed', error);
    }
    const after = settled(before, settlement, this.parts.now());
    this.parts.announcer.announce([announcementOf(after, settlement)], told);
    this.parts.onSettled?.(after, outcomes);
    if (settlement.goneTargets.length > 0)
      await this.parts.recipients
        .forget(before.serviceName, before.channel, settlement.goneTargets)
        .catch((error: unknown) => this.parts.onProblem('forget_failed', error));
  }
}

const NONE: ReadonlyMap<string, TimedOutcome> = new Map();

const requestOf = (notification: Notification, delivery: Delivery): SendRequest => ({
  deliveryId: delivery.id,
  notificationId: notification.id,
  serviceName: notification.serviceName,
  tenantId: notification.tenantId,
  userId: notification.userId,
  reference: notification.reference,
  target: delivery.target,
  type: notification.type,
  priority: notification.priority,
  title: notification.title,
  body: notification.body,
  html: notification.html,
  data: notification.data,
  groupId: notification.groupId,
  createdAt: notification.createdAt,
  expiresAt: notification.expiresAt,
  atMostOnce: notification.atMostOnce,
  place: delivery.place ?? null,
  attempt: notification.attempt + 1,
  traceparent: notification.traceparent,
});

const wakeOf = (wait: Settlement['wait']): Announcement['wake'] => {
  if (wait === null) return 'none';
  return wait.until !== null || isBeyondLadder(wait) ? 'later' : wait;
};

const announcementOf = (notification: Notification, settlement: Settlement): Announcement => ({
  notification,
  wake: wakeOf(settlement.wait),
  // To wait is no visible change: it stays pending.
  status: settlement.state === 'approved' ? null : { previous: 'pending' as Status },
  deadLetter: settlement.state === 'failed',
});
