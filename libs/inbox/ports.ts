import type { NotificationType, Priority } from '#contracts/vocabulary';

/** Whose inbox: a user of a service; of one customer, where the service has several. Others of the same id are others. */
export interface Reader {
  serviceName: string;
  tenantId: string | null;
  userId: string;
}

interface Content {
  /** Id of the delivery that brought it: `<notification id>-<n>`. */
  id: string;
  notificationId: string;
  type: NotificationType;
  priority: Priority;
  title: string | null;
  body: string;
  data: Record<string, unknown>;
  reference: string | null;
  groupId: string | null;
}

export interface NewInboxItem extends Reader, Content {
  /** When it is deleted. */
  expiresAt: Date;
}

export interface InboxItem extends Content {
  /** Grows by one with each change: of two pictures of an item, the greater one is the later. */
  version: number;
  /** When it was stored. */
  createdAt: Date;
  readAt: Date | null;
}

/** What stands of an item after its last change; `item` null: it was deleted. */
export interface InboxChange {
  reader: Reader;
  id: string;
  version: number;
  /** By the database's clock, as are all times here. A change may show a moment after later ones. */
  changedAt: Date;
  item: InboxItem | null;
}

/** Where the sender puts things. */
export interface InboxDeposits {
  /** Durable when it resolves. What is there already, be it deleted since, stays as it is. @throws Unavailable */
  deposit(items: readonly NewInboxItem[]): Promise<void>;
}

/** All of one reader's items, and nobody else's. All throw Unavailable. */
export interface InboxStore {
  /** Newest first, after a place in that order. */
  list(
    reader: Reader,
    filter: { unread: boolean },
    limit: number,
    after: { createdAt: Date; id: string } | null,
  ): Promise<InboxItem[]>;
  countUnread(reader: Reader): Promise<number>;
  /** The item as it stands then; null when there is none. What is so already stays as it is. */
  mark(reader: Reader, id: string, read: boolean): Promise<InboxItem | null>;
  /** Marks what was stored up to a time, or all, as read; answers how many were not. */
  markAllRead(reader: Reader, upTo: Date | null): Promise<number>;
  /** False when there is none. */
  remove(reader: Reader, id: string): Promise<boolean>;
}

export interface ChangesAsked {
  reader: Reader;
  /** Inclusive. */
  from: Date;
}

export interface InboxChanges {
  /** The database's clock. */
  now(): Promise<Date>;
  /**
   * What changed for these readers of one service, oldest change first; what has gone for longer than
   * `REMEMBERED_MS` is not told any more. At most `limit`, of all readers together.
   */
  changes(serviceName: string, asked: readonly ChangesAsked[], limit: number): Promise<InboxChange[]>;
}

/** How long a deletion is told of, in milliseconds: a day is promised, the rest is for clocks. */
export const REMEMBERED_MS = 26 * 3_600_000;

/** Tells every gateway that something changed for these readers. In the background; never fails. */
export interface InboxSignals {
  changed(readers: readonly Reader[]): void;
}
