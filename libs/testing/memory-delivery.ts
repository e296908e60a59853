import type { Channel } from '#contracts/vocabulary';
import type { ClaimDebts, ClaimRequest, DeliveryStore, OwingClaim, RecipientTargets } from '#delivery/ports';
import type { Delivery, Notification } from '#domain/notification';
import { settled, type Settlement } from '#domain/settle';

let counter = 0;

/** A notification that may be sent at once, but for what is said otherwise. */
export const notificationOf = (over: Partial<Notification>): Notification => {
  const now = new Date('2026-11-21T08:00:00.000Z');
  counter += 1;
  return {
    id: counter.toString(16).padStart(24, '0'),
    serviceName: 'diabetes',
    tenantId: null,
    userId: 'p-1',
    reference: null,
    channel: 'email',
    type: 'info',
    priority: 'normal',
    lane: 'normal',
    groupId: null,
    group: null,
    bulkId: null,
    bulkIndex: null,
    title: 'Hello',
    body: 'Good morning',
    html: null,
    template: null,
    data: {},
    metadata: {},
    sms: null,
    atMostOnce: false,
    onLimit: 'fail',
    sendAt: null,
    expiresAt: null,
    place: null,
    dueAt: null,
    state: 'approved',
    version: 1,
    waiting: null,
    round: 1,
    attempt: 0,
    claims: 0,
    alone: false,
    nextAttemptAt: now,
    lease: null,
    groupDueAt: null,
    retryForbidden: false,
    to: null,
    deliveries: [],
    createdAt: now,
    updatedAt: now,
    approvedAt: now,
    sentAt: null,
    deliveredAt: null,
    openedAt: null,
    readAt: null,
    failedAt: null,
    lastError: null,
    history: [{ from: null, to: 'approved', at: now, actor: 'key:1', reason: null }],
    traceparent: null,
    owner: 'billing',
    ...over,
  };
};

/** In-memory twin of the delivery store, with one clock that stands still. */
export class MemoryDeliveryStore implements DeliveryStore {
  claims = 0;
  down = false;
  leaseTaken: () => void = () => undefined;
  private readonly documents = new Map<string, Notification>();

  constructor(private readonly now: Date) {}

  add(notification: Notification): Notification {
    this.documents.set(notification.id, notification);
    return notification;
  }

  get(id: string): Notification {
    const found = this.documents.get(id);
    if (found === undefined) throw new Error(`no notification ${id}`);
    return found;
  }

  makeDue(id: string): void {
    this.add({ ...this.get(id), nextAttemptAt: this.now });
  }

  stealLease(id: string): void {
    this.add({ ...this.get(id), lease: { token: 'of another', until: this.now } });
  }

  claim({ serviceName, ids, token, leaseMs }: ClaimRequest): Promise<Notification[]> {
    if (this.down) return Promise.reject(new Error('the store is down'));
    this.claims += 1;
    const claimed = ids.flatMap((id) => {
      const found = this.documents.get(id);
      if (found?.serviceName !== serviceName || found.state !== 'approved') return [];
      if (found.nextAttemptAt === null || found.nextAttemptAt > this.now) return [];
      const lease = { token, until: new Date(this.now.getTime() + leaseMs) };
      return [this.add({ ...found, state: 'sending', version: found.version + 1, claims: found.claims + 1, lease })];
    });
    this.leaseTaken();
    return Promise.resolve(claimed);
  }

  freezeDeliveries(
    _serviceName: string,
    token: string,
    frozen: readonly { id: string; deliveries: Delivery[] }[],
  ): Promise<ReadonlySet<string>> {
    const held = frozen.filter(({ id }) => this.get(id).lease?.token === token);
    for (const { id, deliveries } of held) this.add({ ...this.get(id), deliveries });
    return Promise.resolve(new Set(held.map(({ id }) => id)));
  }

  settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    return Promise.resolve(
      settlements.map((settlement) => {
        const found = this.get(settlement.id);
        if (found.lease?.token !== settlement.token) return false;
        this.add(settled(found, settlement, this.now));
        return true;
      }),
    );
  }
}

/** Claims that owe, by token. */
export class MemoryClaimDebts implements ClaimDebts {
  readonly owed = new Map<string, OwingClaim>();
  readonly left: string[] = [];
  down = false;

  owe(claim: OwingClaim): Promise<void> {
    if (this.down) return Promise.reject(new Error('the store is down'));
    this.owed.set(claim.token, claim);
    return Promise.resolve();
  }

  told(tokens: readonly string[]): Promise<void> {
    if (this.down) return Promise.reject(new Error('the store is down'));
    for (const token of tokens) this.owed.delete(token);
    return Promise.resolve();
  }

  leaveToRelay(token: string): Promise<void> {
    this.left.push(token);
    return Promise.resolve();
  }
}

export class MemoryRecipientTargets implements RecipientTargets {
  readonly targets = new Map<string, string[]>();
  readonly forgotten: string[] = [];

  targetsOf(
    _serviceName: string,
    _channel: Channel,
    userIds: readonly string[],
  ): Promise<ReadonlyMap<string, string[]>> {
    return Promise.resolve(
      new Map(userIds.flatMap((id) => (this.targets.has(id) ? [[id, this.targets.get(id) ?? []]] : []))),
    );
  }

  forget(_serviceName: string, _channel: Channel, targets: readonly string[]): Promise<void> {
    this.forgotten.push(...targets);
    return Promise.resolve();
  }
}
