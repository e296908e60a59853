import type { Channel } from '#contracts/vocabulary';
import type { Delivery, Notification } from '#domain/notification';
import type { Settlement } from '#domain/settle';

export type { Announcer } from '#domain/announcement';

export interface ClaimRequest {
  serviceName: string;
  ids: readonly string[];
  token: string;
  leaseMs: number;
}

export interface DeliveryStore {
  /**
   * Takes the lease on those that are approved and due, by the database's clock, in one write; state becomes sending,
   * version and claims grow by one, the outbox owes no wake any more. Answers what was taken; the others are not ours.
   */
  claim(request: ClaimRequest): Promise<Notification[]>;
  /** Freezes resolved targets under the lease, before anything is sent. Answers the ids whose lease still held. */
  freezeDeliveries(
    serviceName: string,
    token: string,
    frozen: readonly { id: string; deliveries: Delivery[] }[],
  ): Promise<ReadonlySet<string>>;
  /** Writes results under their lease; answers, in order, whether it held. */
  settle(settlements: readonly Settlement[]): Promise<boolean[]>;
}

/** What was claimed together, by the token of its lease. */
export interface OwingClaim {
  token: string;
  serviceName: string;
  ids: readonly string[];
  /** From when the relay may tell, by the database's clock. */
  at: Date;
}

/** Remembers for a claim that the broker is to be told of what was sent under it. */
export interface ClaimDebts {
  /** Durable when it resolves. */
  owe(claim: OwingClaim): Promise<void>;
  /** All was told: they owe nothing any more. */
  told(tokens: readonly string[]): Promise<void>;
  /** Not all was told, and nobody is about to: the relay shall. */
  leaveToRelay(token: string): Promise<void>;
}

export interface RecipientTargets {
  /** Targets of each user on a channel, in the order of registration. */
  targetsOf(serviceName: string, channel: Channel, userIds: readonly string[]): Promise<ReadonlyMap<string, string[]>>;
  /** Forgets targets that the provider says do not exist any more. */
  forget(serviceName: string, channel: Channel, targets: readonly string[]): Promise<void>;
}
