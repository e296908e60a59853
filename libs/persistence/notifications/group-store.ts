import { Types } from 'mongoose';
import type { GroupMembers } from '#acceptance/ports';
import type { Notification } from '#domain/notification';
import type { GroupReader } from '#queries/ports';
import type { GroupUpkeep } from '#upkeep/ports';
import type { Databases } from '../databases.js';
import { fromDocument } from './document.js';
import { notifications } from './schema.js';

/** Groups are nothing of their own: what their members say. */
export class MongoGroupStore implements GroupMembers, GroupReader, GroupUpkeep {
  constructor(private readonly databases: Databases) {}

  ofGroup(serviceName: string, groupId: string): Promise<Notification[]> {
    return this.databases.inService(serviceName, notifications, async (collection) => {
      const found = await collection.find({ groupId }).toArray();
      return found
        .map(fromDocument)
        .sort((a, b) => (a.group?.position ?? 0) - (b.group?.position ?? 0) || (a.id < b.id ? -1 : 1));
    });
  }

  async findGroup(groupId: string, services: Iterable<string>): Promise<Notification[]> {
    const known = this.databases.known(services);
    const found = await Promise.all(known.map((service) => this.ofGroup(service, groupId)));
    return found.find(({ length }) => length > 0) ?? [];
  }

  /** Compares with the database's clock as read before the query: a constant is what an index can be asked for. */
  async groupsDue(serviceName: string, limit: number): Promise<string[]> {
    const now = await this.databases.now();
    const due = await this.databases.inService(serviceName, notifications, (collection) =>
      collection
        .find(
          { groupDueAt: { $lte: now } },
          { sort: { groupDueAt: 1 }, limit, batchSize: limit + 1, projection: { groupId: 1 } },
        )
        .toArray(),
    );
    return [...new Set(due.flatMap(({ groupId }) => groupId ?? []))];
  }

  async lookedAt(
    serviceName: string,
    members: readonly { id: string; version: number; lookAgainAt: Date | null }[],
  ): Promise<void> {
    await this.databases.inService(serviceName, notifications, async (collection) => {
      await Promise.all(
        members.map(({ id, version, lookAgainAt }) =>
          collection.updateOne(
            { _id: Types.ObjectId.createFromHexString(id), version },
            lookAgainAt === null ? { $unset: { groupDueAt: '' } } : { $set: { groupDueAt: lookAgainAt } },
          ),
        ),
      );
    });
  }
}
