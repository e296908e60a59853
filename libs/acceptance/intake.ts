import type { z } from 'zod';
import { CreateBulk } from '#contracts/http/bulk';
import { CreateNotification } from '#contracts/http/notification';
import { IdempotencyKey } from '#contracts/http/primitives';
import type { FieldError } from '#contracts/problems';
import type { Caller } from '#domain/caller';
import { DomainError, Unavailable, ValidationFailed } from '#domain/errors';
import type { Bulks } from './bulks.js';
import type { Door } from './door.js';
import { fieldErrors } from './field-errors.js';

/** A message of another service, with the properties that matter at the door. */
export interface IntakeMessage {
  payload: unknown;
  /** Required: it is the idempotency key. */
  messageId: string | null;
  /** Validated by the broker. */
  userId: string | null;
  traceparent: string | null;
}

export type IntakeResult =
  | { kind: 'accepted'; notificationId: string | null; bulkId: string | null; replayed: boolean }
  | { kind: 'refused'; code: string; errors: FieldError[] };

export interface IntakeParts {
  door: Pick<Door, 'accept'>;
  bulks: Pick<Bulks, 'accept'>;
  /** Null for a stranger. */
  callerOf: (userId: string) => Caller | null;
}

const refused = (code: string, errors: FieldError[]): IntakeResult => ({ kind: 'refused', code, errors });

/** What other services put on RabbitMQ: the same schema, limits and door as HTTP. */
export class Intake {
  constructor(private readonly parts: IntakeParts) {}

  /** @throws Unavailable when a store does not answer: the message is to be tried again */
  send(message: IntakeMessage): Promise<IntakeResult> {
    return this.take(message, CreateNotification, async (caller, input, messageId) => {
      const { notification, replayed } = await this.parts.door.accept(caller, {
        input,
        raw: message.payload,
        idempotencyKey: messageId,
        traceparent: message.traceparent,
        defaultOnLimit: 'wait',
      });
      return { kind: 'accepted', notificationId: notification.id, bulkId: null, replayed };
    });
  }

  /** @throws Unavailable when a store does not answer: the message is to be tried again */
  bulk(message: IntakeMessage): Promise<IntakeResult> {
    return this.take(message, CreateBulk, async (caller, input, messageId) => {
      const { bulkId, replayed } = await this.parts.bulks.accept(caller, {
        input,
        raw: message.payload,
        idempotencyKey: messageId,
        traceparent: message.traceparent,
      });
      return { kind: 'accepted', notificationId: null, bulkId, replayed };
    });
  }

  private async take<T extends z.ZodType>(
    message: IntakeMessage,
    schema: T,
    accept: (caller: Caller, input: z.output<T>, messageId: string) => Promise<IntakeResult>,
  ): Promise<IntakeResult> {
    const caller = message.userId === null ? null : this.parts.callerOf(message.userId);
    if (caller === null)
      return refused('unauthorized', [
        {
          in: 'header',
          field: 'user_id',
          code: 'unknown_user',
          message: 'must be a user that is configured as a producer',
        },
      ]);
    const messageId = IdempotencyKey.safeParse(message.messageId);
    if (!messageId.success)
      return refused('validation_failed', [
        {
          in: 'header',
          field: 'message_id',
          code: 'required',
          message: 'is required: 1 to 255 visible ASCII characters',
        },
      ]);
    const parsed = schema.safeParse(message.payload);
    if (!parsed.success) return refused('validation_failed', fieldErrors(parsed.error, message.payload));
    try {
      return await accept(caller, parsed.data, messageId.data);
    } catch (error) {
      if (error instanceof ValidationFailed) return refused(error.code, [...error.errors]);
      if (error instanceof DomainError && !(error instanceof Unavailable) && error.code !== 'idempotency_key_in_use')
        return refused(error.code, [{ in: 'body', field: '', code: error.code, message: error.message }]);
      throw error;
    }
  }
}
