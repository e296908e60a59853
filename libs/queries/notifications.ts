import type { ListNotificationsQuery } from '#contracts/http/lists';
import type { NotificationItem } from '#contracts/http/notification';
import type { Caller } from '#domain/caller';
import { NotFound } from '#domain/errors';
import type { Notification } from '#domain/notification';
import { Cursors, type Page, pageOf } from '#paging/cursor';
import { defined } from './defined.js';
import type { NotificationFilter, ReadStore } from './ports.js';
import { requireVisible, servicesAsked } from './services.js';
import { itemView } from './views.js';

type Reads = Pick<ReadStore, 'find' | 'list' | 'findUnreadByUser'>;

const date = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));

/** Looking at notifications: one, a page, and what a user has not read. */
export class NotificationQueries {
  constructor(private readonly store: Reads) {}

  /** @throws NotFound */
  async one(caller: Caller, id: string): Promise<Notification> {
    const found = await this.store.find(id, caller.services);
    if (found === null) throw new NotFound('notification');
    return found;
  }

  /** @throws ServiceNotAllowed, InvalidCursor */
  async list(caller: Caller, query: ListNotificationsQuery): Promise<Page<NotificationItem>> {
    const { limit, cursor, serviceName, createdFrom, createdTo, ...same } = query;
    const services = servicesAsked(caller, serviceName);
    const cursors = new Cursors('notifications', { serviceName, createdFrom, createdTo, ...same });
    const filter: NotificationFilter = {
      services,
      ...defined({ ...same, createdFrom: date(createdFrom), createdTo: date(createdTo) }),
    };
    const rows = await this.store.list(filter, limit + 1, cursors.time(cursor));
    const { data, page } = pageOf(rows, limit, (last) => cursors.ofTime(last));
    return { data: data.map(itemView), page };
  }

  /** @throws NotFound when the caller may not use the service */
  async unread(caller: Caller, serviceName: string, userId: string, limit: number): Promise<NotificationItem[]> {
    requireVisible(caller, serviceName, 'recipient');
    const rows = await this.store.findUnreadByUser(userId, serviceName, limit);
    return rows.map(itemView);
  }
}
