import type { Clock, Job, UpkeepStore } from './ports.js';

export interface CleanUpParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'deleteFinalBefore' | 'countFinalBefore'>;
  now: Clock;
  retentionDays: number;
}

/** What one clean-up is about. */
export interface CleanUpOrder {
  services: readonly string[];
  /** Of these days since they were created; as it is configured, where it is left out. */
  olderThanDays?: number | undefined;
  /** Count, and remove nothing. */
  dryRun: boolean;
  /** In one service. */
  limit: number;
}

export interface CleanedUp {
  createdBefore: Date;
  services: { serviceName: string; notifications: number }[];
  /** The limit of a service was reached. */
  more: boolean;
}

const BATCH = 1000;
/** Of one service in one run of the job. */
const RUN_LIMIT = 10_000_000;
const DAY_MS = 86_400_000;

/**
 * Removes notifications that are final and older than they have to be kept. Each batch is one deletion by filter: beside
 * another clean-up, or begun again, it removes what is left.
 */
export class CleanUp implements Job {
  constructor(private readonly parts: CleanUpParts) {}

  async run(stop: AbortSignal): Promise<number> {
    const { services } = await this.cleanUp({ services: this.parts.services, dryRun: false, limit: RUN_LIMIT }, stop);
    return services.reduce((sum, { notifications }) => sum + notifications, 0);
  }

  async cleanUp(order: CleanUpOrder, stop?: AbortSignal): Promise<CleanedUp> {
    const { store, now, retentionDays } = this.parts;
    const createdBefore = new Date(now().getTime() - (order.olderThanDays ?? retentionDays) * DAY_MS);
    const services: CleanedUp['services'] = [];
    for (const serviceName of order.services)
      services.push({
        serviceName,
        notifications: order.dryRun
          ? await store.countFinalBefore(serviceName, createdBefore, order.limit)
          : await this.remove(serviceName, createdBefore, order.limit, stop),
      });
    return { createdBefore, services, more: services.some(({ notifications }) => notifications >= order.limit) };
  }

  private async remove(serviceName: string, before: Date, limit: number, stop?: AbortSignal): Promise<number> {
    let removed = 0;
    while (removed < limit && stop?.aborted !== true) {
      const count = await this.parts.store.deleteFinalBefore(serviceName, before, Math.min(BATCH, limit - removed));
      removed += count;
      if (count === 0) break;
    }
    return removed;
  }
}
