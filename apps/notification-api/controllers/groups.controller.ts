import { Controller, Inject } from '@nestjs/common';
import type { GroupBody } from '#contracts/http/groups';
import { OPERATIONS } from '#contracts/http/operations';
import { acceptedGroupView } from '#queries/groups';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class GroupsController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'groups' | 'groupQueries'>) {}

  @Handles(OPERATIONS.createGroup)
  async create(call: CallOf<typeof OPERATIONS.createGroup>): Promise<GroupBody> {
    const { groupId, notifications, replayed } = await this.parts.groups.accept(call.caller, {
      input: call.body,
      raw: call.raw,
      idempotencyKey: call.idempotencyKey,
      traceparent: call.traceparent,
    });
    call.about(groupId, call.traceparent ?? notifications[0]?.traceparent ?? null);
    if (replayed) call.replayed();
    return acceptedGroupView(groupId, notifications);
  }

  @Handles(OPERATIONS.getGroup)
  show(call: CallOf<typeof OPERATIONS.getGroup>): Promise<GroupBody> {
    return this.parts.groupQueries.one(call.caller, call.params.id);
  }
}
