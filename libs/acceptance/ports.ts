import type { Channel } from '#contracts/vocabulary';
import type { FieldError } from '#contracts/problems';
import type { Idempotency, InsertResult, NewNotification } from '#domain/accepted';
import type { Notification } from '#domain/notification';

export type { Announcer, Told } from '#domain/announcement';

export interface AcceptStore {
  /** By idempotency scope, in order; null where none exists. */
  findByIdempotency(
    refs: readonly { serviceName: string; scope: string }[],
  ): Promise<({ notification: Notification; fingerprint: string } | null)[]>;
  /**
   * Durable (majority, journaled) when it resolves; one result each, in order. One bad document never undoes others,
   * but for those of its group, which are written together or not at all.
   */
  insertAccepted(batch: readonly NewNotification[]): Promise<InsertResult[]>;
}

export interface GroupMembers {
  /** By position. */
  ofGroup(serviceName: string, groupId: string): Promise<Notification[]>;
}

export interface RecipientLookup {
  /** Which of these users have a target on the channel: `<service>:<channel>:<user>`, as `recipientKey` makes it. */
  withTarget(
    wanted: readonly { serviceName: string; channel: Channel; userId: string }[],
  ): Promise<ReadonlySet<string>>;
  /** The language tags of those of these users who have one, as they were given. */
  localesOf(serviceName: string, userIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
export const recipientKey = (serviceName: string, channel: Channel, userId: string): string =>
  `${serviceName}:${channel}:${userId}`;

export interface TemplateRenderer {
  /**
   * Texts made from a published template; `version` null for the live one, `locale` null for the default.
   * @throws ValidationFailed naming `/template` or the variables
   */
  render(request: {
    serviceName: string;
    channel: Channel;
    name: string;
    version: number | null;
    locale: string | null;
    variables: Record<string, unknown>;
  }): Promise<{
    title: string | null;
    body: string;
    html: string | null;
    data: Record<string, unknown>;
    /** What was found. */
    version: number;
    locale: string;
  }>;
}

export interface NewBulk {
  id: string;
  serviceName: string;
  tenantId: string | null;
  actor: string;
  /** The client that makes it (`Caller.owner`): may cancel it. */
  owner: string;
  total: number;
  idempotency: Idempotency | null;
}

export interface BulkStore {
  /**
   * From now on, until `told`, the bulk owes the broker what its items have to tell, which carry no outbox of their own.
   * `duplicate` when the idempotency scope made one before: `finished`, or `in_use` by a request that is accepting it
   * right now, or `taken_over` by us, because that one vanished (its lease of `leaseMs` ended) or paused.
   */
  begin(
    bulk: NewBulk,
    leaseMs: number,
  ): Promise<
    | { kind: 'begun' }
    | { kind: 'duplicate'; id: string; fingerprint: string; standing: 'finished' | 'in_use' | 'taken_over' }
  >;
  /** We give up for now; a repetition may go on at once. */
  pause(id: string): Promise<void>;
  /** Every accepted item is durable: now it runs. Refusals are kept, in order of index. */
  run(id: string, accepted: number, refusals: readonly BulkRefusal[]): Promise<void>;
  /** The broker has confirmed what all of its items had to tell: it owes nothing any more. */
  told(id: string): Promise<void>;
  /** Nothing of it was accepted: it never was. */
  forget(id: string): Promise<void>;
}
export interface BulkRefusal {
  index: number;
  reference: string | null;
  errors: FieldError[];
}
