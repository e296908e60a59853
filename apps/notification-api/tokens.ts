import type { Registry } from 'prom-client';
import type { Bulks } from '#acceptance/bulks';
import type { Door } from '#acceptance/door';
import type { Groups } from '#acceptance/groups';
import type { Keys } from '#access/keys';
import type { IdempotencyRecords } from '#access/ports';
import type { Recipients } from '#access/recipients';
import type { ProviderReceipts } from '#composition/receipts';
import type { Inbox } from '#inbox/inbox';
import type { InboxStreams } from '#inbox/streams';
import type { InboxTokens } from '#inbox/tokens';
import type { Actions } from '#lifecycle/actions';
import type { BulkCancellation } from '#lifecycle/cancel-bulk';
import type { DeadLetters } from '#lifecycle/dead-letters';
import type { Logger } from '#observability/logging';
import type { BulkQueries } from '#queries/bulks';
import type { GroupQueries } from '#queries/groups';
import type { NotificationQueries } from '#queries/notifications';
import type { StatisticsQueries } from '#queries/statistics';
import type { Limits } from '#limits/limits';
import type { Providers } from '#providers/providers';
import type { Templates } from '#templates/templates';
import type { Maintenance } from '#upkeep/maintenance';

export interface Readiness {
  /** Rejects when the database does not answer. */
  database(): Promise<void>;
  broker(): boolean;
}

/** What readers of inboxes work with. */
export interface InboxParts {
  tokens: InboxTokens;
  items: Inbox;
  streams: InboxStreams;
}

/** What this app is made of. Each class takes the members that it needs. */
export interface ApiParts {
  door: Pick<Door, 'accept'>;
  bulks: Pick<Bulks, 'accept'>;
  groups: Pick<Groups, 'accept'>;
  actions: Pick<Actions, 'approve' | 'approveMany' | 'reject' | 'cancel' | 'retry' | 'resolve' | 'read'>;
  bulkCancellation: Pick<BulkCancellation, 'cancel'>;
  deadLetters: Pick<DeadLetters, 'list' | 'show' | 'replay' | 'replayMatching' | 'drop'>;
  keys: Keys;
  recipients: Recipients;
  receipts: ProviderReceipts;
  templates: Templates;
  limits: Pick<Limits, 'list' | 'put' | 'delete'>;
  providers: Pick<Providers, 'list' | 'disable' | 'enable'>;
  notificationQueries: NotificationQueries;
  statisticsQueries: StatisticsQueries;
  bulkQueries: BulkQueries;
  groupQueries: GroupQueries;
  /** Null where INBOX_TOKEN_SECRET is not set. */
  inbox: InboxParts | null;
  maintenance: Pick<Maintenance, 'cleaned'>;
  idempotency: IdempotencyRecords;
  readiness: Readiness;
  registry: Registry;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Of the platform, as /health shows it. */
  version: string;
}

export const PARTS = Symbol('ApiParts');
