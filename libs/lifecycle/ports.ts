import type { BulkStatus, Channel, DeadLetterStatus, ErrorClass } from '#contracts/vocabulary';
import type { Alert } from '#domain/alert';
import type { ChangeStore } from '#domain/change';
import type { DeadLetter, RefusedMessageRecord } from '#domain/dead-letter';
import type { LimitRequest } from '#domain/limits';
import type { Notification, Transition } from '#domain/notification';

export type { Alert, Alerts } from '#domain/alert';
export type { Announcer } from '#domain/announcement';

export interface NotificationStore extends ChangeStore {
  /** Looks in these services' databases at once; null when none has it, or the id cannot be one. */
  find(id: string, services: Iterable<string>): Promise<Notification | null>;
  /**
   * Cancels what of a bulk is draft or approved, with its open deliveries failed; answers how many. Announces nothing:
   * the outbox of each owes the status (previous `pending`, no wake) at once, so that the relay tells it.
   */
  cancelOfBulk(serviceName: string, bulkId: string, transition: Omit<Transition, 'from'>): Promise<number>;
}

/** What of in-app notifications stands in inboxes. */
export interface InboxMarks {
  /** Marks the items of a notification as read, where they are not. @throws Unavailable */
  markRead(serviceName: string, notificationId: string): Promise<void>;
}

export interface ReceiptStore {
  /** The delivery that a provider gave this id to, in whatever service; null when there is none. */
  findDelivery(
    channel: Channel,
    provider: string,
    providerMessageId: string,
  ): Promise<{ serviceName: string; deliveryId: string } | null>;
}

export interface DeadLetterFilter {
  services: ReadonlySet<string>;
  serviceName?: string;
  class?: ErrorClass;
  channel?: Channel;
  status?: DeadLetterStatus;
  createdFrom?: Date;
  createdTo?: Date;
}

export interface DeadLetterStore {
  /** Upsert by notification and round (or by message id, for what has none); answers whether it is new. What stands stays. */
  record(deadLetter: DeadLetter): Promise<boolean>;
  find(id: string): Promise<DeadLetter | null>;
  /** Moves the status from one of `from`; null when it stood elsewhere. */
  move(id: string, from: readonly DeadLetterStatus[], to: DeadLetterStatus, actor: string): Promise<DeadLetter | null>;
  /**
   * Those that match, newest first (createdAt, id), at most `limit`, older than `before`. Of the services named, and
   * those of none.
   */
  page(filter: DeadLetterFilter, limit: number, before: { createdAt: Date; id: string } | null): Promise<DeadLetter[]>;
  /** Waiting ones whose time to be tried once more has come. */
  due(limit: number): Promise<DeadLetter[]>;
  /** The notification was taken up again, or settled by a person: closes what waits for it, or was archived. */
  closeFor(notificationId: string, round: number, to: DeadLetterStatus): Promise<void>;
}

/** The places that an approved notification needs before it may be sent: the rule that the door goes by. */
export type PlacesNeeded = (notification: Notification, now: Date) => LimitRequest[];

export interface RecipientLookup {
  /** One entry for each of these users who has a target on the channel. */
  withTarget(
    wanted: readonly { serviceName: string; channel: Channel; userId: string }[],
  ): Promise<ReadonlySet<string>>;
}

export interface CancellableBulk {
  id: string;
  serviceName: string;
  /** The client that made it (`Caller.owner`). */
  owner: string;
  status: BulkStatus;
}

export interface BulkRecords {
  find(id: string): Promise<CancellableBulk | null>;
  /** Moves the status; null when it stood elsewhere than in `from`. */
  move(id: string, from: readonly BulkStatus[], to: BulkStatus, at: Date): Promise<unknown>;
}

/** Puts a refused message through the door once more, as the user who sent it. */
export interface Replayer {
  /** @throws DomainError what the door says of it */
  replay(message: RefusedMessageRecord): Promise<void>;
}

export interface AlertWindow {
  /** Whether this is the first of its group within the last `windowMs`, over all processes; if so, a window begins. */
  first(group: string, windowMs: number): Promise<boolean>;
}

/** A way to tell the operators that does not lead through this platform's own notifications. */
export interface OperatorChannel {
  readonly channel: Channel;
  notify(alert: Alert, at: Date): Promise<void>;
}

/** What this folder needs of a logger; pino has this shape. */
export interface AlertLog {
  fatal(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type Clock = () => Date;
