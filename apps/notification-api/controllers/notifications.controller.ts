import { Controller, Inject } from '@nestjs/common';
import type { NotificationItem, NotificationBody } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import type { StatisticsBody } from '#contracts/http/statistics';
import type { Page } from '#paging/cursor';
import { acceptedView, notificationView } from '#queries/views';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class NotificationsController {
  constructor(
    @Inject(PARTS) private readonly parts: Pick<ApiParts, 'door' | 'notificationQueries' | 'statisticsQueries'>,
  ) {}

  @Handles(OPERATIONS.createNotification)
  async create(call: CallOf<typeof OPERATIONS.createNotification>): Promise<NotificationBody> {
    const { notification, replayed } = await this.parts.door.accept(call.caller, {
      input: call.body,
      raw: call.raw,
      idempotencyKey: call.idempotencyKey,
      traceparent: call.traceparent,
      defaultOnLimit: 'fail',
    });
    call.about(notification.id, call.traceparent ?? notification.traceparent);
    if (replayed) call.replayed();
    return acceptedView(notification);
  }

  @Handles(OPERATIONS.listNotifications)
  list(call: CallOf<typeof OPERATIONS.listNotifications>): Promise<Page<NotificationItem>> {
    return this.parts.notificationQueries.list(call.caller, call.query);
  }

  @Handles(OPERATIONS.getStatistics)
  statistics(call: CallOf<typeof OPERATIONS.getStatistics>): Promise<StatisticsBody> {
    return this.parts.statisticsQueries.of(call.caller, call.query);
  }

  @Handles(OPERATIONS.getNotification)
  async show(call: CallOf<typeof OPERATIONS.getNotification>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.notificationQueries.one(call.caller, call.params.id));
  }
}
