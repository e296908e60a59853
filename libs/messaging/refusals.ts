import { randomUUID } from 'node:crypto';
import { SCHEMA_VERSION } from '#contracts/messages';
import { EXCHANGES, QUEUES, ROUTING_KEYS } from '#contracts/topology';
import { TryAgainLater } from './errors.js';
import type { Refusal } from './errors.js';
import type { IncomingMessage } from './incoming.js';
import type { Publisher } from './publisher.js';

const TYPE = 'notification.message-refused';

/** Sends refused messages, whole and with the reason, to the dead letters. */
export class Refusals {
  constructor(private readonly publisher: Publisher) {}

  /**
   * Resolves when the broker has confirmed that they have it.
   * @throws TryAgainLater while it has not
   */
  async write(message: IncomingMessage, refusal: Refusal): Promise<void> {
    if (message.queue === QUEUES.failed && message.type === TYPE) {
      // It would come back wrapped once more, for ever.
      throw new Error(`a dead letter was refused by the handler of dead letters: ${refusal.code}`);
    }
    const [result] = await this.publisher.publish([
      {
        exchange: EXCHANGES.dead,
        routingKey: ROUTING_KEYS.refused,
        type: TYPE,
        messageId: randomUUID(),
        correlationId: message.correlationId,
        traceparent: message.traceparent,
        mandatory: true,
        payload: {
          schemaVersion: SCHEMA_VERSION,
          queue: message.queue,
          type: message.type,
          messageId: message.messageId,
          correlationId: message.correlationId,
          userId: message.userId,
          code: refusal.code,
          errors: refusal.errors,
          payload: message.content.toString('base64'),
        },
      },
    ]);
    if (result !== 'confirmed') throw new TryAgainLater(`the dead letters did not take a refused message: ${result}`);
  }
}
