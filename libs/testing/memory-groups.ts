import type { GroupMembers } from '#acceptance/ports';
import type { Notification } from '#domain/notification';
import type { GroupReader } from '#queries/ports';

/** In-memory twin of what reads groups. */
export class MemoryGroups implements GroupMembers, GroupReader {
  /** @param all what the store holds, asked anew each time */
  constructor(private readonly all: () => Iterable<Notification>) {}

  ofGroup(serviceName: string, groupId: string): Promise<Notification[]> {
    return this.findGroup(groupId, [serviceName]);
  }

  findGroup(groupId: string, services: Iterable<string>): Promise<Notification[]> {
    const allowed = new Set(services);
    return Promise.resolve(
      [...this.all()]
        .filter((one) => one.groupId === groupId && allowed.has(one.serviceName))
        .sort((a, b) => (a.group?.position ?? 0) - (b.group?.position ?? 0)),
    );
  }
}
