import type { Watermarks } from '#upkeep/ports';
import { CollectionOf, type Databases } from '../databases.js';
import { schemaOf } from '../schema.js';
import { upsert } from '../upsert.js';

export interface Mark {
  claimedAt: Date;
  dueUpTo: Date;
}

interface WatermarkDocument {
  _id: 'lanes';
  /** By name of the delivery queue, its dots written as `:`. */
  lanes: Record<string, Mark>;
}

/** A single document: needs no index. */
const watermarks = new CollectionOf<WatermarkDocument>('watermarks', () => schemaOf({ _id: String, lanes: {} }));

const memberOf = (queue: string): string => queue.replaceAll('.', ':');
const queueOf = (member: string): string => member.replaceAll(':', '.');

export class MongoWatermarks implements Watermarks {
  constructor(private readonly databases: Databases) {}

  /** By name of the delivery queue. Of what several processes write, the latest stays. */
  async write(marks: ReadonlyMap<string, Mark>): Promise<void> {
    if (marks.size === 0) return;
    const latest = Object.fromEntries(
      [...marks].flatMap(([queue, mark]) =>
        (['claimedAt', 'dueUpTo'] as const).map((field) => {
          const path = `lanes.${memberOf(queue)}.${field}`;
          return [path, { $max: [`$${path}`, mark[field]] }] as const;
        }),
      ),
    );
    await this.databases.inControl(watermarks, (collection) =>
      upsert(collection, { _id: 'lanes', lanes: {} }, [{ $set: latest }]),
    );
  }

  async read(): Promise<ReadonlyMap<string, Mark>> {
    const document = await this.databases.inControl(watermarks, (collection) => collection.findOne({ _id: 'lanes' }));
    return new Map(Object.entries(document?.lanes ?? {}).map(([member, mark]) => [queueOf(member), mark]));
  }
}
