import { Controller, Inject } from '@nestjs/common';
import { recipientView } from '#access/views';
import type { NotificationItem } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import type { RecipientBody } from '#contracts/http/recipients';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class RecipientsController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'recipients' | 'notificationQueries'>) {}

  @Handles(OPERATIONS.putRecipient)
  async put({ caller, params, body }: CallOf<typeof OPERATIONS.putRecipient>): Promise<RecipientBody> {
    return recipientView(await this.parts.recipients.put(caller, params.serviceName, params.userId, body));
  }

  @Handles(OPERATIONS.getRecipient)
  async show({ caller, params }: CallOf<typeof OPERATIONS.getRecipient>): Promise<RecipientBody> {
    return recipientView(await this.parts.recipients.get(caller, params.serviceName, params.userId));
  }

  @Handles(OPERATIONS.deleteRecipient)
  delete({ caller, params }: CallOf<typeof OPERATIONS.deleteRecipient>): Promise<void> {
    return this.parts.recipients.delete(caller, params.serviceName, params.userId);
  }

  @Handles(OPERATIONS.createDevice)
  async createDevice({ caller, params, body }: CallOf<typeof OPERATIONS.createDevice>): Promise<{ id: string }> {
    const { id } = await this.parts.recipients.addDevice(caller, params.serviceName, params.userId, body);
    return { id };
  }

  @Handles(OPERATIONS.deleteDevice)
  deleteDevice({ caller, params }: CallOf<typeof OPERATIONS.deleteDevice>): Promise<void> {
    return this.parts.recipients.removeDevice(caller, params.serviceName, params.userId, params.deviceId);
  }

  @Handles(OPERATIONS.listUnread)
  async unread({ caller, params, query }: CallOf<typeof OPERATIONS.listUnread>): Promise<{ data: NotificationItem[] }> {
    const { serviceName, userId } = params;
    return { data: await this.parts.notificationQueries.unread(caller, serviceName, userId, query.limit) };
  }
}
