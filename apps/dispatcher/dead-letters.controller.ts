import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern } from '@nestjs/microservices';
import { FailedNotice, RefusedMessage, SCHEMA_VERSION } from '#contracts/messages';
import { QUEUES } from '#contracts/topology';
import { AmqpContext } from '#messaging/context';
import { type DispatcherParts, PARTS } from './tokens.js';

/** The end of the line: what fails for good is stored, and acknowledged only then. */
@Controller()
export class DeadLettersController {
  constructor(@Inject(PARTS) private readonly parts: DispatcherParts) {}

  @EventPattern(QUEUES.failed)
  async keep(@Ctx() { message }: AmqpContext): Promise<void> {
    const { payload } = message;
    if (message.type === 'notification.failed') {
      const notice = FailedNotice.safeParse(payload);
      if (notice.success) return this.parts.deadLetters.keepFailed(notice.data);
    }
    if (message.type === 'notification.message-refused') {
      const refused = RefusedMessage.safeParse(payload);
      if (refused.success) return this.parts.deadLetters.keepRefused(refused.data);
    }
    // A message that its queue gave up after too many deliveries, or one that somebody else put here.
    await this.parts.deadLetters.keepRefused({
      schemaVersion: SCHEMA_VERSION,
      queue: message.deaths[0]?.queue ?? message.queue,
      type: message.type,
      messageId: message.messageId,
      correlationId: message.correlationId,
      userId: message.userId,
      code: message.deaths[0]?.reason ?? 'unknown_message',
      errors: [],
      payload: message.content.toString('base64'),
    });
  }
}
