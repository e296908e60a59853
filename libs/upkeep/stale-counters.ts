import type { Clock, CounterUpkeep, Job, RemovedCounters } from './ports.js';

export interface StaleCountersParts {
  counters: CounterUpkeep;
  now: Clock;
}

const BATCH = 10_000;
/** A counter is of no use once its minute is over; kept for clocks that disagree. */
const KEPT_MS = 3_600_000;

/** Removes the counters of users' minutes that are over. Those of what is scheduled lie ahead, and stay. */
export class StaleCounters implements Job {
  constructor(private readonly parts: StaleCountersParts) {}

  async run(stop: AbortSignal): Promise<number> {
    const { counters, now } = this.parts;
    const at = new Date(now().getTime() - KEPT_MS);
    let removed = 0;
    let from: string | null = null;
    do {
      const { deleted, next }: RemovedCounters = await counters.deleteOver(at, BATCH, from);
      removed += deleted;
      from = next;
    } while (from !== null && !stop.aborted);
    return removed;
  }
}
