import { Unavailable } from '#domain/errors';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import type { InboxDeposits, NewInboxItem } from '#inbox/ports';
import { Deadline } from '../deadline.js';
import { gaveUp, unavailable, unreachable } from '../outcomes.js';

export interface InAppOptions {
  inbox: InboxDeposits;
  retentionDays: number;
  timeoutMs?: number;
}

const INBOX = 'inbox';
const DAY_MS = 86_400_000;

const sent = (itemId: string): Outcome => ({
  kind: 'sent',
  provider: INBOX,
  providerMessageId: itemId,
  providerStatus: null,
});

/**
 * Puts notifications into the inboxes that Carillon keeps. Stored is sent, whether or not anybody reads. A deposit can
 * be repeated under the same delivery id, so nothing is ever uncertain.
 */
export class InAppSender implements ChannelSender {
  readonly channel = 'in-app';
  readonly batchSize = 500;
  readonly concurrency = 4;
  readonly timeoutMs: number;

  constructor(private readonly options: InAppOptions) {
    this.timeoutMs = options.timeoutMs ?? 10_000;
  }

  async send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]> {
    if (batch.length === 0) return [];
    const deadline = new Deadline(this.timeoutMs, signal);
    try {
      const failure = await this.deposit(batch, deadline);
      return batch.map(({ deliveryId }) => failure ?? sent(deliveryId));
    } finally {
      deadline.clear();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Null when all are stored. */
  private async deposit(batch: readonly SendRequest[], deadline: Deadline): Promise<Outcome | null> {
    const late = new Promise<Outcome>((resolve) => {
      const giveUp = (): void => resolve(gaveUp(INBOX, deadline.reached ?? 'timeout', false));
      if (deadline.reached !== null) giveUp();
      else deadline.signal.addEventListener('abort', giveUp);
    });
    if (deadline.reached !== null) return late;
    const now = Date.now();
    const stored = this.options.inbox.deposit(batch.map((request) => this.itemOf(request, now))).then(
      () => null,
      (error: unknown) => (error instanceof Unavailable ? unreachable(INBOX) : unavailable(INBOX, 'failed')),
    );
    return Promise.race([stored, late]);
  }

  private itemOf(request: SendRequest, now: number): NewInboxItem {
    return {
      id: request.deliveryId,
      notificationId: request.notificationId,
      serviceName: request.serviceName,
      tenantId: request.tenantId,
      userId: request.target,
      type: request.type,
      priority: request.priority,
      title: request.title,
      body: request.body,
      data: request.data,
      reference: request.reference,
      groupId: request.groupId,
      expiresAt: new Date(now + this.options.retentionDays * DAY_MS),
    };
  }
}
