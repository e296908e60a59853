import type { Intake } from '#acceptance/intake';
import type { Caller } from '#domain/caller';
import type { DeadLetterKeeper } from '#lifecycle/dead-letter-keeper';
import type { Reports } from '#lifecycle/reports';
import type { MessagePublisher } from '#outbox/ports';
import type { NotificationMetricsService } from '#observability/message-metrics';

/** What the handlers of this app call. */
export interface DispatcherParts {
  intake: Intake;
  reports: Reports;
  deadLetters: DeadLetterKeeper;
  publisher: MessagePublisher;
  callerOf: (userId: string) => Caller | null;
  messageMetrics: NotificationMetricsService;
}

export const PARTS = Symbol('DispatcherParts');
