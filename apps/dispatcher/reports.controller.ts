import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern } from '@nestjs/microservices';
import { fieldErrors } from '#acceptance/field-errors';
import { StatusReport } from '#contracts/messages';
import { QUEUES } from '#contracts/topology';
import { AmqpContext } from '#messaging/context';
import { RefuseMessage } from '#messaging/errors';
import { type DispatcherParts, PARTS } from './tokens.js';

const REPORT = 'notification.report';

/** What other services saw become of a notification. */
@Controller()
export class ReportsController {
  constructor(@Inject(PARTS) private readonly parts: DispatcherParts) {}

  @EventPattern(QUEUES.reports)
  async report(@Ctx() { message }: AmqpContext): Promise<void> {
    // Other services may tell each other things on this exchange: they are not for us.
    if (message.type !== null && message.type !== REPORT) return;
    const caller = message.userId === null ? null : this.parts.callerOf(message.userId);
    if (caller === null)
      throw new RefuseMessage({
        code: 'unauthorized',
        errors: [{ in: 'header', field: 'user_id', code: 'unknown_user', message: 'must be a configured user' }],
      });
    const parsed = StatusReport.safeParse(message.payload);
    if (!parsed.success)
      throw new RefuseMessage({ code: 'validation_failed', errors: fieldErrors(parsed.error, message.payload) });
    await this.parts.reports.apply(caller, parsed.data);
  }
}
