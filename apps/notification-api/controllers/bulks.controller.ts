import { Controller, Inject } from '@nestjs/common';
import type { BulkBody, Refusal } from '#contracts/http/bulk';
import { OPERATIONS } from '#contracts/http/operations';
import type { Page } from '#paging/cursor';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class BulksController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'bulks' | 'bulkQueries' | 'bulkCancellation'>) {}

  @Handles(OPERATIONS.createBulk)
  async create(call: CallOf<typeof OPERATIONS.createBulk>): Promise<BulkBody> {
    const { bulkId, replayed } = await this.parts.bulks.accept(call.caller, {
      input: call.body,
      raw: call.raw,
      idempotencyKey: call.idempotencyKey,
      traceparent: call.traceparent,
    });
    call.about(bulkId);
    if (replayed) call.replayed();
    return this.parts.bulkQueries.one(call.caller, bulkId);
  }

  @Handles(OPERATIONS.getBulk)
  show(call: CallOf<typeof OPERATIONS.getBulk>): Promise<BulkBody> {
    return this.parts.bulkQueries.one(call.caller, call.params.id);
  }

  @Handles(OPERATIONS.listBulkRefusals)
  refusals(call: CallOf<typeof OPERATIONS.listBulkRefusals>): Promise<Page<Refusal>> {
    return this.parts.bulkQueries.refusals(call.caller, call.params.id, call.query);
  }

  @Handles(OPERATIONS.cancelBulk)
  async cancel(call: CallOf<typeof OPERATIONS.cancelBulk>): Promise<BulkBody> {
    call.about(call.params.id);
    await this.parts.bulkCancellation.cancel(call.caller, call.params.id, call.body);
    return this.parts.bulkQueries.one(call.caller, call.params.id);
  }
}
