import type { RecipientLookup } from '#acceptance/ports';
import type { Channel } from '#contracts/vocabulary';
import type { RecipientTargets } from '#delivery/ports';
import type { Databases } from '../databases.js';
import { CHANNEL_TARGETS, USER_ID } from './channel-targets.js';
import { recipients } from './schema.js';

export class MongoRecipientTargets implements RecipientLookup, RecipientTargets {
  constructor(
    private readonly databases: Databases,
    /** How the answers of `withTarget` are named. */
    private readonly keyOf: (serviceName: string, channel: Channel, userId: string) => string,
  ) {}

  async withTarget(
    wanted: readonly { serviceName: string; channel: Channel; userId: string }[],
  ): Promise<ReadonlySet<string>> {
    const groups = Map.groupBy(wanted, ({ serviceName, channel }) => `${serviceName}:${channel}`);
    const found = await Promise.all(
      [...groups.values()].map(async (group) => {
        const [first] = group;
        if (first === undefined) return [];
        const { serviceName, channel } = first;
        const targets = await this.targetsOf(
          serviceName,
          channel,
          group.map(({ userId }) => userId),
        );
        return [...targets.keys()].map((userId) => this.keyOf(serviceName, channel, userId));
      }),
    );
    return new Set(found.flat());
  }

  localesOf(serviceName: string, userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const ids = [...new Set(userIds)];
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const found = await collection
        .find({ _id: { $in: ids } }, { projection: { locale: 1 }, batchSize: ids.length + 1 })
        .toArray();
      return new Map(found.flatMap(({ _id, locale }) => (locale == null ? [] : [[_id, locale] as const])));
    });
  }

  /** Users without any are not in it. */
  async targetsOf(serviceName: string, channel: Channel, userIds: readonly string[]): Promise<Map<string, string[]>> {
    const kept = CHANNEL_TARGETS[channel];
    if (kept === undefined) return new Map();
    const ids = [...new Set(userIds)];
    if (kept === USER_ID) return new Map(ids.map((id) => [id, [id]] as const));
    const { projection, of } = kept;
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const documents = await collection
        .find({ _id: { $in: ids } }, { projection, batchSize: ids.length + 1 })
        .toArray();
      return new Map(
        documents.flatMap((document) => {
          const own = of(document);
          return own.length === 0 ? [] : [[document._id, own] as const];
        }),
      );
    });
  }

  async forget(serviceName: string, channel: Channel, targets: readonly string[]): Promise<void> {
    const kept = CHANNEL_TARGETS[channel];
    if (kept === undefined || kept === USER_ID) return;
    const { having, without } = kept;
    await this.databases.inService(serviceName, recipients, async (collection) => {
      await collection.updateMany(having([...targets]), {
        ...without([...targets]),
        $currentDate: { updatedAt: true },
      });
    });
  }
}
