import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import type { Clock, ReceiptStore } from './ports.js';
import type { ReportResult, Reports } from './reports.js';

/** What a provider says became of what it was handed. */
export interface Receipt {
  provider: string;
  status: 'delivered' | 'failed';
  /** Machine word for a failure. */
  code: string | null;
  /** Told by ours, where the provider was told of it, or by its own id. */
  of: { serviceName: string; deliveryId: string } | { providerMessageId: string };
}

export interface ReceiptsParts {
  store: ReceiptStore;
  reports: Pick<Reports, 'apply'>;
  services: readonly string[];
  now: Clock;
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<void>;
}

/** Waits for our own settling, which writes the provider's id, in milliseconds. */
const PAUSES_MS = [50, 100, 200, 400, 800] as const;

/** Receipts of providers: reports, of those who know best. */
export class Receipts {
  constructor(private readonly parts: ReceiptsParts) {}

  /**
   * @throws NotFound for what was not sent from here, or is kept no longer
   * @throws Conflict while it is being sent: the receipt may come again
   */
  async apply(receipt: Receipt): Promise<ReportResult> {
    const { provider, status, code } = receipt;
    const { serviceName, deliveryId } = 'deliveryId' in receipt.of ? receipt.of : await this.find(provider, receipt.of);
    const caller: Caller = {
      actor: `provider:${provider}`,
      owner: provider,
      scopes: new Set(['notifications:mark']),
      services: new Set(this.parts.services),
    };
    if (!caller.services.has(serviceName)) throw new NotFound('notification');
    return this.parts.reports.apply(caller, {
      notificationId: deliveryId.split('-', 1)[0] ?? '',
      serviceName,
      status,
      occurredAt: this.parts.now().toISOString(),
      deliveryId,
      ...(code === null ? {} : { code }),
    });
  }

  private async find(
    provider: string,
    { providerMessageId }: { providerMessageId: string },
  ): Promise<{ serviceName: string; deliveryId: string }> {
    for (const ms of [...PAUSES_MS, null]) {
      const found = await this.parts.store.findDelivery('sms', provider, providerMessageId);
      if (found !== null) return found;
      if (ms !== null) await this.parts.pause(ms);
    }
    throw new NotFound('notification');
  }
}
