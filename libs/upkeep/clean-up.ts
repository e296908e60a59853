import type { Clock, Job, UpkeepStore } from './ports.js';

export interface CleanUpParts {
  services: readonly string[];
  store: Pick<UpkeepStore, 'deleteFinalBefore'>;
  now: Clock;
  retentionDays: number;
}

const BATCH = 1000;
/** Of one service in one run. */
const BATCHES = 100;
const DAY_MS = 86_400_000;

/** Deletes notifications in final states that are older than they have to be kept. */
export class CleanUp implements Job {
  constructor(private readonly parts: CleanUpParts) {}

  async run(): Promise<number> {
    const { services, store, now, retentionDays } = this.parts;
    const before = new Date(now().getTime() - retentionDays * DAY_MS);
    let deleted = 0;
    for (const serviceName of services)
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const count = await store.deleteFinalBefore(serviceName, before, BATCH);
        deleted += count;
        if (count < BATCH) break;
      }
    return deleted;
  }
}
