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

  /** Users without any are not in it. */
  targetsOf(serviceName: string, channel: Channel, userIds: readonly string[]): Promise<Map<string, string[]>> {
    const ids = [...new Set(userIds)];
    const targets = CHANNEL_TARGETS[channel];
    if (targets === USER_ID) return Promise.resolve(new Map(ids.map((id) => [id, [id]] as const)));
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const { projection, of } = targets;
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

  forget(serviceName: string, channel: Channel, targets: readonly string[]): Promise<void> {
    const known = CHANNEL_TARGETS[channel];
    if (known === USER_ID) return Promise.resolve();
    return this.databases.inService(serviceName, recipients, async (collection) => {
      const { having, without } = known;
      await collection.updateMany(having([...targets]), {
        ...without([...targets]),
        $currentDate: { updatedAt: true },
      });
    });
  }
}
