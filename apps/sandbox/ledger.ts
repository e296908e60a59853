import type { Channel } from '#contracts/vocabulary';
import type { Ring } from './ring.js';

/** One message as a provider took it in. */
export interface Arrival {
  /** The provider's own id, as answered to the sender. */
  id: string;
  deliveryId: string | null;
  notificationId: string | null;
  /** Device token, address, or path: in full, for this is a development tool. */
  target: string;
  signature: Signature | null;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as it came, read only when somebody asks to see the message. */
  raw: Buffer;
}

/** `unchecked`: no secret is known here. */
export type Signature = 'valid' | 'invalid' | 'absent' | 'unchecked';

export interface Received extends Arrival {
  channel: Channel;
  /** Counts up over all channels. */
  sequence: number;
  at: Date;
}

/** `received = distinctDeliveries + redelivered + unidentified`. */
export interface Counts {
  received: number;
  distinctDeliveries: number;
  distinctNotifications: number;
  /** Times a delivery id came again. */
  redelivered: number;
  /** Notifications received under more than one delivery id for the same target. */
  duplicates: number;
  /** Messages without a delivery id. */
  unidentified: number;
}

/** Bytes of each message that are kept to be looked at. */
const MAX_KEPT = 256 * 1024;

interface Delivery {
  id: string;
  target: string;
  times: number;
}

interface Notification {
  deliveries: Delivery[];
  duplicate: boolean;
}

/** What one channel received: exact counts by id for everything, and the newest messages themselves. */
export class Ledger {
  private notifications = new Map<string, Notification>();
  /** Of deliveries that named no notification. */
  private orphans = new Map<string, Delivery>();
  private totals = noCounts();

  constructor(
    private readonly channel: Channel,
    private readonly ring: Ring<Received>,
    private readonly nextSequence: () => number,
    private readonly changed: () => void,
  ) {}

  record(arrival: Arrival): void {
    // Built field by field: a spread costs more than all the rest of this method.
    this.ring.push({
      channel: this.channel,
      sequence: this.nextSequence(),
      at: new Date(),
      id: arrival.id,
      deliveryId: arrival.deliveryId,
      notificationId: arrival.notificationId,
      target: arrival.target,
      signature: arrival.signature,
      headers: arrival.headers,
      // A copy: a slice would keep all of it in memory.
      raw: arrival.raw.length > MAX_KEPT ? Buffer.from(arrival.raw.subarray(0, MAX_KEPT)) : arrival.raw,
    });
    this.totals.received++;
    if (arrival.deliveryId === null) this.totals.unidentified++;
    else if (arrival.notificationId === null) this.countOrphan(arrival.deliveryId, arrival.target);
    if (arrival.notificationId !== null) this.count(arrival.notificationId, arrival.deliveryId, arrival.target);
    this.changed();
  }

  /** As they stand now, until the next reset. */
  get counts(): Readonly<Counts> {
    return this.totals;
  }

  /** Newest first. */
  newest(): Iterable<Received> {
    return this.ring.newest();
  }

  /** How many different deliveries of one notification arrived. */
  deliveriesOf(notificationId: string): number {
    return this.notifications.get(notificationId)?.deliveries.length ?? 0;
  }

  /** Each notification id with how often each of its delivery ids came. */
  *timesByNotification(): Generator<[notificationId: string, times: Record<string, number>]> {
    for (const [id, { deliveries }] of this.notifications) {
      yield [id, Object.fromEntries(deliveries.map((delivery) => [delivery.id, delivery.times]))];
    }
  }

  reset(): void {
    this.ring.clear();
    this.notifications = new Map();
    this.orphans = new Map();
    this.totals = noCounts();
  }

  private count(notificationId: string, deliveryId: string | null, target: string): void {
    let notification = this.notifications.get(notificationId);
    if (notification === undefined) {
      notification = { deliveries: [], duplicate: false };
      this.notifications.set(notificationId, notification);
      this.totals.distinctNotifications++;
    }
    if (deliveryId === null) return;
    const known = notification.deliveries.find((delivery) => delivery.id === deliveryId);
    if (known !== undefined) {
      known.times++;
      this.totals.redelivered++;
      return;
    }
    if (!notification.duplicate && notification.deliveries.some((delivery) => delivery.target === target)) {
      notification.duplicate = true;
      this.totals.duplicates++;
    }
    notification.deliveries.push({ id: deliveryId, target, times: 1 });
    this.totals.distinctDeliveries++;
  }

  private countOrphan(deliveryId: string, target: string): void {
    const known = this.orphans.get(deliveryId);
    if (known === undefined) {
      this.orphans.set(deliveryId, { id: deliveryId, target, times: 1 });
      this.totals.distinctDeliveries++;
    } else {
      known.times++;
      this.totals.redelivered++;
    }
  }
}

const noCounts = (): Counts => ({
  received: 0,
  distinctDeliveries: 0,
  distinctNotifications: 0,
  redelivered: 0,
  duplicates: 0,
  unidentified: 0,
});
