import type { CounterUpkeep, RemovedCounters } from '#upkeep/ports';
import type { Databases } from '../databases.js';
import { minuteId, minuteNumber } from './counters.js';
import { limits } from './schema.js';

export class MongoCounterUpkeep implements CounterUpkeep {
  constructor(private readonly databases: Databases) {}

  /** Goes on where it ended before, for what was removed a moment ago costs whoever passes it. */
  deleteOver(at: Date, limit: number, from: string | null): Promise<RemovedCounters> {
    const start = from ?? '';
    const end = minuteId(minuteNumber(at));
    return this.databases.inControl(limits, async (collection) => {
      const next = await collection.findOne(
        { _id: { $gte: start, $lt: end } },
        { projection: { _id: 1 }, sort: { _id: 1 }, skip: limit },
      );
      const { deletedCount } = await collection.deleteMany({ _id: { $gte: start, $lt: next?._id ?? end } });
      return { deleted: deletedCount, next: next?._id ?? null };
    });
  }
}
