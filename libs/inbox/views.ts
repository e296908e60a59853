import type { InboxItemBody } from '#contracts/http/inbox';
import type { InboxItem } from './ports.js';

export const inboxItemView = (item: InboxItem): InboxItemBody => ({
  id: item.id,
  notificationId: item.notificationId,
  version: item.version,
  type: item.type,
  priority: item.priority,
  title: item.title,
  body: item.body,
  data: item.data,
  reference: item.reference,
  groupId: item.groupId,
  createdAt: item.createdAt.toISOString(),
  readAt: item.readAt === null ? null : item.readAt.toISOString(),
});
