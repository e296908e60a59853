import { Controller, Inject } from '@nestjs/common';
import type { ApprovedNotifications, NotificationBody } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import { approvedView, notificationView } from '#queries/views';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class ActionsController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'actions'>) {}

  @Handles(OPERATIONS.approveNotification)
  async approve(call: CallOf<typeof OPERATIONS.approveNotification>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.actions.approve(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.approveNotifications)
  async approveMany(call: CallOf<typeof OPERATIONS.approveNotifications>): Promise<ApprovedNotifications> {
    return approvedView(await this.parts.actions.approveMany(call.caller, call.body.ids, call.body));
  }

  @Handles(OPERATIONS.rejectNotification)
  async reject(call: CallOf<typeof OPERATIONS.rejectNotification>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.actions.reject(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.cancelNotification)
  async cancel(call: CallOf<typeof OPERATIONS.cancelNotification>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.actions.cancel(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.retryNotification)
  async retry(call: CallOf<typeof OPERATIONS.retryNotification>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.actions.retry(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.resolveNotification)
  async resolve(call: CallOf<typeof OPERATIONS.resolveNotification>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.actions.resolve(call.caller, call.params.id, call.body));
  }

  @Handles(OPERATIONS.markNotificationRead)
  async read(call: CallOf<typeof OPERATIONS.markNotificationRead>): Promise<NotificationBody> {
    call.about(call.params.id);
    return notificationView(await this.parts.actions.read(call.caller, call.params.id, call.body));
  }
}
