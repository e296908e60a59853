import { Controller, Inject } from '@nestjs/common';
import { OPERATIONS } from '#contracts/http/operations';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class ReceiptsController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'receipts'>) {}

  @Handles(OPERATIONS.takeOrangeReceipt)
  orange({ query, body }: CallOf<typeof OPERATIONS.takeOrangeReceipt>): Promise<void> {
    return this.parts.receipts.orange(query.token, body);
  }

  @Handles(OPERATIONS.takeTwilioReceipt)
  twilio(call: CallOf<typeof OPERATIONS.takeTwilioReceipt>): Promise<void> {
    return this.parts.receipts.twilio({
      url: call.url,
      signature: call.header('x-twilio-signature'),
      delivery: call.query,
      fields: call.body,
    });
  }
}
