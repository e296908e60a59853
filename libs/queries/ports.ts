import type { FieldError } from '#contracts/problems';
import type { BulkStatus, Channel, NotificationType, State, Status } from '#contracts/vocabulary';
import type { Notification } from '#domain/notification';

/** A place in the order newest first: (createdAt, id). */
export interface Position {
  createdAt: Date;
  id: string;
}

export interface NotificationFilter {
  services: readonly string[];
  userId?: string;
  tenantId?: string;
  reference?: string;
  bulkId?: string;
  groupId?: string;
  status?: Status[];
  state?: State[];
  channel?: Channel[];
  type?: NotificationType[];
  createdFrom?: Date;
  createdTo?: Date;
}

export interface Statistics {
  total: number;
  byType: Record<NotificationType, number>;
  byStatus: Record<Status, number>;
  /** Sum and number of times from createdAt to sentAt, in milliseconds, so that several services can be summed. */
  processing: { sumMs: number; count: number };
}

/** Without body, html, data, deliveries' targets. */
export type ListedNotification = Notification;

export interface ReadStore {
  find(id: string, services: Iterable<string>): Promise<Notification | null>;
  /** Newest first over all the services' databases, merged; at most `limit`, after `after`. */
  list(filter: NotificationFilter, limit: number, after: Position | null): Promise<ListedNotification[]>;
  findUnreadByUser(userId: string, serviceName: string, limit: number): Promise<ListedNotification[]>;
  getStatisticsByService(
    serviceName: string,
    period: { from?: Date; to?: Date },
    tenantId?: string,
  ): Promise<Statistics>;
  countByStatusAndService(status: Status, serviceName: string, from: Date, to: Date): Promise<number>;
  /** How many notifications of a bulk stand where. */
  countBulk(serviceName: string, bulkId: string): Promise<Record<Status, number>>;
}

export interface GroupReader {
  /** Its members, by position; none where there is no such group in these services. */
  findGroup(groupId: string, services: Iterable<string>): Promise<Notification[]>;
}

export interface BulkRecord {
  id: string;
  serviceName: string;
  tenantId: string | null;
  status: BulkStatus;
  createdAt: Date;
  completedAt: Date | null;
  total: number;
  accepted: number;
  refused: number;
}

export interface BulkReader {
  find(id: string): Promise<BulkRecord | null>;
  refusals(id: string, limit: number, afterIndex: number): Promise<BulkRefusalRecord[]>;
  /** Moves the status; null when it stood elsewhere than in `from`. */
  move(id: string, from: readonly BulkStatus[], to: BulkStatus, at: Date): Promise<BulkRecord | null>;
  /** Bulks that run or are being cancelled, oldest first: those whose completion has to be noticed. */
  open(limit: number): Promise<BulkRecord[]>;
}
export interface BulkRefusalRecord {
  index: number;
  reference: string | null;
  errors: FieldError[];
}
