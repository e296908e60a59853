import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern } from '@nestjs/microservices';
import type { IntakeMessage, IntakeResult } from '#acceptance/intake';
import { SCHEMA_VERSION } from '#contracts/messages';
import { EXCHANGES, QUEUES, ROUTING_KEYS } from '#contracts/topology';
import { asTraceparent } from '#domain/traceparent';
import { AmqpContext } from '#messaging/context';
import { RefuseMessage } from '#messaging/errors';
import type { IncomingMessage } from '#messaging/incoming';
import { type DispatcherParts, PARTS } from './tokens.js';

const asIntake = ({ payload, messageId, userId, traceparent }: IncomingMessage): IntakeMessage => ({
  payload,
  messageId,
  userId,
  traceparent: asTraceparent(traceparent),
});

/** Messages of other services: through the door, and the producer is told what became of them. */
@Controller()
export class IntakeController {
  constructor(@Inject(PARTS) private readonly parts: DispatcherParts) {}

  @EventPattern(QUEUES.intakeSend)
  async send(@Ctx() { message }: AmqpContext): Promise<void> {
    await this.tell(message, await this.parts.intake.send(asIntake(message)));
  }

  @EventPattern(QUEUES.intakeBulk)
  async bulk(@Ctx() { message }: AmqpContext): Promise<void> {
    await this.tell(message, await this.parts.intake.bulk(asIntake(message)));
  }

  private async tell(message: IncomingMessage, result: IntakeResult): Promise<void> {
    const { messageId, correlationId, userId } = message;
    const envelope = {
      exchange: EXCHANGES.services,
      routingKey: ROUTING_KEYS.status,
      ...(correlationId === null ? {} : { correlationId }),
      mandatory: false,
    };
    if (result.kind === 'accepted') {
      await this.parts.publisher.publish([
        {
          ...envelope,
          type: 'notification.accepted',
          messageId: `${messageId ?? ''}:accepted`.slice(-255),
          payload: {
            schemaVersion: SCHEMA_VERSION,
            messageId: messageId ?? '',
            correlationId,
            producer: userId ?? '',
            notificationId: result.notificationId,
            bulkId: result.bulkId,
          },
        },
      ]);
      return;
    }
    await this.parts.publisher.publish([
      {
        ...envelope,
        type: 'notification.refused',
        messageId: `${messageId ?? ''}:refused`.slice(-255),
        payload: {
          schemaVersion: SCHEMA_VERSION,
          messageId,
          correlationId,
          producer: userId,
          code: result.code,
          errors: result.errors,
        },
      },
    ]);
    throw new RefuseMessage({ code: result.code, errors: result.errors });
  }
}
