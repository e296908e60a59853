import type { Channel, NotificationType, Priority } from '#contracts/vocabulary';
import type { Place } from './limits.js';
import type { Outcome } from './outcome.js';

/** One delivery, with all that a sender may need of its notification. */
export interface SendRequest {
  deliveryId: string;
  notificationId: string;
  serviceName: string;
  tenantId: string | null;
  userId: string | null;
  reference: string | null;
  target: string;
  type: NotificationType;
  priority: Priority;
  title: string | null;
  body: string;
  html: string | null;
  data: Record<string, unknown>;
  groupId: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  /** Never handed to a second provider, nor again, when the first may have it. */
  atMostOnce: boolean;
  /** Reserved when it was held: good for one request to that provider. */
  place: Place | null;
  /** 1 for the first. */
  attempt: number;
  traceparent: string | null;
}

/** What a channel is to the rest of the house. Every sender passes the conformance suite in `libs/channels`. */
export interface ChannelSender {
  readonly channel: Channel;
  /** How many deliveries one call of `send` takes at the most. */
  readonly batchSize: number;
  /** How many calls of `send` may be under way at once in one process. */
  readonly concurrency: number;
  /** Milliseconds after which `send` gives up by itself; the lease is longer. */
  readonly timeoutMs: number;
  /**
   * Hands deliveries to the provider: exactly one outcome each, in order. Never rejects for what a provider says or
   * does. Aborted by `signal` (the end of the lease): what was already written is then `uncertain`, the rest `transient`.
   */
  send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]>;
  close(): Promise<void>;
}
