import type { GroupBody } from '#contracts/http/groups';
import type { NotificationBody } from '#contracts/http/notification';
import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import { groupStatusOf } from '#domain/groups';
import type { Notification } from '#domain/notification';
import { isFinal } from '#domain/states';
import type { GroupReader } from './ports.js';
import { acceptedView, notificationView } from './views.js';

/** Looking at groups: what stands of them is what stands of their members. */
export class GroupQueries {
  constructor(private readonly store: GroupReader) {}

  /** @throws NotFound */
  async one(caller: Caller, id: string): Promise<GroupBody> {
    const members = await this.store.findGroup(id, caller.services);
    if (members.length === 0) throw new NotFound('group');
    const standing = { status: groupStatusOf(members), final: members.every(isFinal) };
    return groupView(id, members, standing, notificationView);
  }
}

/** A group as its creation was answered, however far it has come. @param members by position, at least one */
export const acceptedGroupView = (id: string, members: readonly Notification[]): GroupBody =>
  groupView(id, members, { status: 'pending', final: false }, acceptedView);

const groupView = (
  id: string,
  members: readonly Notification[],
  standing: Pick<GroupBody, 'status' | 'final'>,
  view: (notification: Notification) => NotificationBody,
): GroupBody => {
  const [first] = members;
  return {
    id,
    serviceName: first?.serviceName ?? '',
    mode: first?.group?.mode ?? 'all',
    fallbackAfterSeconds: first?.group?.fallbackAfterSeconds ?? null,
    ...standing,
    skipped: [...(first?.group?.skipped ?? [])],
    createdAt: (first?.createdAt ?? new Date(0)).toISOString(),
    notifications: members.map(view),
  };
};
